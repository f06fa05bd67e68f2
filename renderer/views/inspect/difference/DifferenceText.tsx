import { useCallback, useMemo, type PointerEvent } from 'react';
import type { Difference } from '../../../../preload/contract/index.ts';
import { drawStrip, drawStripCursor, positionAt } from '../../../charts/strip.ts';
import { figuresOf, klShade, type DifferenceFigures } from '../../../state/differenceFigures.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { formatCount, visible } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { Figures } from '../parts/Figures.tsx';
import { fileName, formatFigure, formatProbability, formatSigned } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { ShadeScale } from '../parts/ShadeScale.tsx';
import { TokenText, type Piece } from '../parts/TokenText.tsx';
import classes from './difference.module.css';
import { TokenReadout } from './TokenReadout.tsx';

/** The text token by token: where the two part, and how far they are apart on the way. */
export function DifferenceText({ difference }: { difference: Difference }) {
  const store = useStudio().difference;
  const position = usePart(store.store, (state) => state.position);
  const figures = useMemo(() => figuresOf(difference), [difference]);
  const { tokens, promptTokens, firstDivergence, base, variant } = difference;
  const pieces = useMemo(
    () =>
      tokens.map(({ text }, index): Piece => {
        const shade = klShade(figures.kl[index] ?? 0);
        return {
          text,
          shade: shade === 0 ? undefined : `p${8 - shade}`,
          mark: index === firstDivergence ? 'divergence' : undefined,
          dim: index < promptTokens,
        };
      }),
    [tokens, figures, firstDivergence, promptTokens],
  );
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => {
      const { kl, gain } = figures;
      drawStrip(svg, { kl, gain, promptTokens, divergence: firstDivergence }, width);
    },
    [figures, promptTokens, firstDivergence],
  );
  const point = (event: PointerEvent<HTMLDivElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const at = positionAt(tokens.length, width, event.clientX - left);
    if (at !== null) store.change({ position: at });
  };
  const shown = position ?? firstDivergence ?? Math.min(promptTokens, tokens.length - 1);
  const drawCursor = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawStripCursor(svg, { count: tokens.length, cursor: shown }, width),
    [tokens, shown],
  );
  const name = fileName(base, variant);
  return (
    <section className={parts.section} aria-label="Token by token">
      <div className={parts.head}>
        <h2>Token by token</h2>
        <span className={parts.end}>
          <SaveMenu
            label="Save the values of all tokens"
            name={`${name}-tokens`}
            csv={() => csvOf(difference, figures)}
            json={() => ({ tokens, positions: difference.positions, firstDivergence })}
          />
        </span>
      </div>
      <Parting difference={difference} />
      <Overall figures={figures} />
      <TokenText
        label="Text of both models"
        pieces={pieces}
        cursor={shown}
        onCursor={(at) => store.change({ position: at })}
      />
      <div className={parts.under}>
        <ShadeScale
          caption="KL, nats"
          shades={Array.from({ length: 8 }, (_, at) => `p${7 - at}`)}
          from="0.001"
          to="3"
        />
        <span>
          {formatCount(promptTokens)} tokens of prompt (grey), {tokens.length - promptTokens}{' '}
          written by the base
        </span>
      </div>
      <TokenReadout difference={difference} figures={figures} index={shown} />
      <div className={classes.strip} onPointerMove={point}>
        <Chart
          label="KL divergence and difference of log-probability along the tokens"
          draw={draw}
          save={{ name: `${name}-strip` }}
        />
        <div className={classes.stripCursor}>
          {shown !== firstDivergence && (
            <Chart label={`Token ${shown + 1} of ${tokens.length}`} draw={drawCursor} />
          )}
        </div>
      </div>
    </section>
  );
}

/** What happened, in a sentence. */
function Parting({ difference }: { difference: Difference }) {
  const { tokens, positions, promptTokens, firstDivergence, variant } = difference;
  const written = tokens.length - promptTokens;
  if (written === 0)
    return <p className={parts.sentence}>The base wrote nothing: both only read the prompt.</p>;
  if (firstDivergence === null) {
    return (
      <p className={parts.sentence}>
        No divergence: {variant} would have written the same{' '}
        {written === 1 ? 'token' : `${formatCount(written)} tokens`}.
      </p>
    );
  }
  const instead = positions[firstDivergence - 1]?.variant.top.text ?? '';
  return (
    <p className={parts.sentence}>
      They part at written token {firstDivergence - promptTokens + 1} of {formatCount(written)}: the
      base wrote <strong>{visible(tokens[firstDivergence]?.text ?? '')}</strong> where the variant
      would have written <strong>{visible(instead)}</strong>.
    </p>
  );
}

function Overall({ figures }: { figures: DifferenceFigures }) {
  const { meanKl, mostKl, meanGain, agreement, positions } = figures;
  const over = `over ${formatCount(positions)} positions of this text`;
  return (
    <Figures
      label="The comparison in figures"
      figures={[
        {
          name: 'Mean KL',
          explanation: `KL(base ‖ variant), the mean ${over}.`,
          value: `${formatFigure(meanKl)} nats`,
        },
        {
          name: 'Largest KL',
          explanation: 'At one position of this text.',
          value: `${formatFigure(mostKl)} nats`,
        },
        {
          name: 'Same first choice',
          explanation: `How often both find the same token most probable, ${over}.`,
          value: formatProbability(agreement),
        },
        {
          name: 'Log-probability',
          explanation: 'Of the tokens of this text, variant − base, the mean.',
          value: meanGain === null ? null : `${formatSigned(meanGain)} nats`,
        },
      ]}
    />
  );
}

function csvOf(
  { tokens, positions, promptTokens }: Difference,
  figures: DifferenceFigures,
): string {
  const header = [
    'index',
    'id',
    'text',
    'written',
    'kl_nats',
    'base_logprob',
    'variant_logprob',
    'base_top',
    'variant_top',
  ];
  return toCsv(
    header,
    tokens.map(({ id, text }, index) => {
      const told = positions[index - 1];
      return [
        index,
        id,
        text,
        index < promptTokens ? 0 : 1,
        told ? (figures.kl[index] ?? null) : null,
        told?.base.logprob ?? null,
        told?.variant.logprob ?? null,
        told?.base.top.text ?? null,
        told?.variant.top.text ?? null,
      ];
    }),
  );
}
