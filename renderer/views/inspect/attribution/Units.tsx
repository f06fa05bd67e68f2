import { useCallback, useMemo } from 'react';
import type { Attribution, AttributionRequest } from '../../../../preload/contract/index.ts';
import { drawEffects } from '../../../charts/effects.ts';
import { signedShade, signedShades } from '../../../charts/signed.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { formatCount, visible } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName, formatFigure, formatProbability, formatSigned } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { ShadeScale } from '../parts/ShadeScale.tsx';
import { TokenText, type Piece } from '../parts/TokenText.tsx';
import classes from './attribution.module.css';

/** How each method came to its figures. */
const explanations: Readonly<Record<AttributionRequest['method'], string>> = {
  'leave-one-out':
    'Finite differences by leaving out, not gradients: the prompt is read once without each part, and the figure is how much the log-probability of the token falls.',
  occlusion:
    'Finite differences by covering, not gradients: the tokens of an empty place stand where each part was, and the figure is how much the log-probability of the token falls.',
  attention:
    'Attention followed through the layers (rollout), not an effect: the figure is the share of the last position’s attention that ends at each part.',
};

interface UnitsProps {
  attribution: Attribution;
  asked: AttributionRequest;
}

/** The prompt coloured by what each part does, and the parts in order of it. */
export function Units({ attribution, asked }: UnitsProps) {
  const store = useStudio().attribution;
  const unit = usePart(store.store, (state) => state.unit);
  const { tokens, units, target, logprob, runs } = attribution;
  const isShare = asked.method === 'attention';
  const size = Math.max(0, ...units.map(({ effect }) => Math.abs(effect)));
  /** Units and what stands between them: what the tokenizer adds is in no unit. */
  const pieces = useMemo(() => piecesOf(attribution, size), [attribution, size]);
  const sorted = useMemo(
    () => units.toSorted((a, b) => Math.abs(b.effect) - Math.abs(a.effect)),
    [units],
  );
  const shown = unit === null ? null : (units[unit] ?? null);
  const name = fileName(asked.model, 'attribution');
  return (
    <div className={parts.scroll}>
      <div className={parts.columns}>
        <section className={parts.section} aria-label="Prompt by effect">
          <div className={parts.head}>
            <h2>Prompt by effect</h2>
            <span className={parts.end}>
              <SaveMenu
                label="Save the attribution"
                name={name}
                csv={() => csvOf(attribution)}
                json={() => attribution}
              />
            </span>
          </div>
          <p className={parts.sentence}>
            The token explained is <strong>{visible(target.text)}</strong>, which the model gives{' '}
            {formatProbability(Math.exp(logprob))} behind the whole prompt. It took{' '}
            {formatCount(runs)} {runs === 1 ? 'run' : 'runs'}.
          </p>
          <TokenText
            label="Prompt coloured by effect"
            pieces={pieces.map(({ piece }) => piece)}
            cursor={unit === null ? null : pieces.findIndex((each) => each.unit === unit)}
            onCursor={(at) => store.change({ unit: pieces[at]?.unit ?? null })}
          />
          <div className={parts.under}>
            <ShadeScale
              caption={isShare ? 'Share of attention' : 'Effect, nats'}
              shades={Array.from({ length: signedShades }, (_, at) => `d${at}`).slice(
                isShare ? (signedShades - 1) / 2 : 0,
              )}
              from={isShare ? '0' : formatFigure(-size)}
              to={formatFigure(size)}
            />
            {!isShare && <span>blue: the token is more probable without it</span>}
          </div>
          <output className={classes.readout} aria-label="Values of the part">
            {shown && (
              <>
                <span className={parts.token}>{visible(shown.text)}</span>
                <span>
                  {shown.end - shown.start === 1
                    ? `token ${shown.start + 1} of ${tokens.length}`
                    : `tokens ${shown.start + 1}–${shown.end} of ${tokens.length}`}
                </span>
                <span>{valueOf(shown.effect, logprob, isShare)}</span>
              </>
            )}
          </output>
          <p className={parts.note}>{explanations[asked.method]}</p>
        </section>
        <section className={parts.section} aria-label="Parts by effect">
          <div className={parts.head}>
            <h2>Parts by effect</h2>
            <span>
              {sorted.length > mostShown
                ? `the first ${mostShown} of ${formatCount(sorted.length)}`
                : ''}
            </span>
          </div>
          <Bars units={sorted} isShare={isShare} name={name} />
        </section>
      </div>
    </div>
  );
}

const mostShown = 40;

interface BarsProps {
  units: Attribution['units'];
  isShare: boolean;
  name: string;
}

function Bars({ units, isShare, name }: BarsProps) {
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawEffects(
        svg,
        {
          caption: isShare ? 'Share of attention' : 'Log-probability lost without it, nats',
          effects: units
            .slice(0, mostShown)
            .map(({ text, effect }) => ({ label: visible(text), value: effect })),
          figure: isShare ? formatFigure : formatSigned,
        },
        width,
      ),
    [units, isShare],
  );
  return <Chart label="Parts of the prompt by effect" draw={draw} save={{ name }} />;
}

function valueOf(effect: number, logprob: number, isShare: boolean): string {
  if (isShare) return `${formatProbability(effect)} of the attention`;
  const without = formatProbability(Math.min(1, Math.exp(logprob - effect)));
  return `${formatSigned(effect)} nats: the token has ${without} without it`;
}

interface Placed {
  readonly piece: Piece;
  readonly unit: number | null;
}

function piecesOf({ tokens, units }: Attribution, size: number): Placed[] {
  const result: Placed[] = [];
  let at = 0;
  const addTokens = (end: number): void => {
    const text = tokens
      .slice(at, end)
      .map((token) => token.text)
      .join('');
    if (text !== '') result.push({ piece: { text, dim: true }, unit: null });
    at = end;
  };
  for (const [unit, { start, end, text, effect }] of units.entries()) {
    addTokens(start);
    const shade = signedShade(effect, size);
    const isNone = shade === (signedShades - 1) / 2;
    result.push({ piece: { text, shade: isNone ? undefined : `d${shade}` }, unit });
    at = end;
  }
  addTokens(tokens.length);
  return result;
}

const csvOf = ({ units }: Attribution): string =>
  toCsv(
    ['start', 'end', 'text', 'effect'],
    units.map(({ start, end, text, effect }) => [start, end, text, effect]),
  );
