import { useCallback, useMemo, useState } from 'react';
import type { Capture, Prediction } from '../../../../preload/contract/index.ts';
import { drawAlternatives } from '../../../charts/alternatives.ts';
import { klShade } from '../../../state/differenceFigures.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { visible } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { Loaded } from '../../Loaded.tsx';
import { useStudio } from '../../studioContext.ts';
import { fileName, formatFigure } from '../parts/figures.ts';
import { ShadeScale } from '../parts/ShadeScale.tsx';
import { TokenText, type Piece } from '../parts/TokenText.tsx';
import { useSlice } from '../useSlice.ts';
import parts from '../parts/parts.module.css';
import classes from './Ablation.module.css';
import view from './Attention.module.css';

interface OutcomeProps {
  before: Capture;
  after: Capture;
  /** Whether other heads are switched off by now. */
  isStale: boolean;
}

/** How the predictions change without the heads: where, how much, and what is said instead. */
export function AblationOutcome({ before, after, isStale }: OutcomeProps) {
  const { inspect } = useStudio();
  const whole = useSlice(before, ['predictions'], () => inspect.predictions(before));
  const without = useSlice(after, ['predictions', before.id], () =>
    inspect.predictions(after, before),
  );
  return (
    <div className={classes.outcome}>
      {isStale && <p className={view.note}>These figures are of the heads chosen before.</p>}
      <Loaded query={whole}>
        {(with_) => (
          <Loaded query={without}>
            {(others) => <Changes capture={before} before={with_} after={others} />}
          </Loaded>
        )}
      </Loaded>
    </div>
  );
}

interface ChangesProps {
  capture: Capture;
  before: readonly Prediction[];
  after: readonly Prediction[];
}

function Changes({ capture, before, after }: ChangesProps) {
  const { tokens } = capture;
  const largest = useMemo(() => {
    const kl = after.map((prediction) => prediction.kl ?? 0);
    return kl.indexOf(Math.max(...kl));
  }, [after]);
  const [chosen, setChosen] = useState<number | null>(null);
  const position = chosen ?? Math.max(0, largest);
  const pieces = useMemo(
    () =>
      tokens.map(({ text }, index): Piece => {
        const shade = klShade(after[index]?.kl ?? 0);
        return { text, shade: shade === 0 ? undefined : `p${8 - shade}` };
      }),
    [tokens, after],
  );
  const flips = after.filter(
    ({ alternatives }, index) => alternatives[0]?.id !== before[index]?.alternatives[0]?.id,
  ).length;
  const known = after.flatMap(({ kl: each }) => (each === undefined ? [] : [each]));
  const mean = known.reduce((sum, each) => sum + each, 0) / Math.max(1, known.length);
  const kl = after[position]?.kl;
  return (
    <>
      <div className={parts.tools} data-inside>
        <output>
          {flips === 0
            ? 'The most probable token stays the same everywhere'
            : `Another token is most probable at ${flips} of ${after.length} positions`}
          {known.length > 0 && `; mean KL ${formatFigure(mean)} nats`}.
        </output>
        <span className={parts.end}>
          <ShadeScale
            caption="KL, nats"
            shades={Array.from({ length: 8 }, (_, at) => `p${7 - at}`)}
            from="0.001"
            to="3"
          />
          <SaveMenu
            label="Save the change"
            name={fileName(capture.model, 'without-heads')}
            csv={() => changesCsv(capture, before, after)}
            json={() => ({ tokens, before, after })}
          />
        </span>
      </div>
      <TokenText
        label="Where the predictions change"
        pieces={pieces}
        cursor={position}
        onCursor={setChosen}
      />
      <p className={view.note}>
        Behind <span className="mono">{visible(tokens[position]?.text ?? '')}</span> (token{' '}
        {position}
        ): KL(with ‖ without) {kl === undefined ? '–' : `${formatFigure(kl)} nats`}
      </p>
      <div className={classes.compared}>
        <Side title="With all heads" prediction={before[position]} />
        <Side title="Without" prediction={after[position]} />
      </div>
    </>
  );
}

function Side({ title, prediction }: { title: string; prediction: Prediction | undefined }) {
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawAlternatives(
        svg,
        (prediction?.alternatives ?? []).slice(0, 5).map(({ text, logprob }, index) => ({
          rank: index + 1,
          label: visible(text),
          logprob,
          chosen: index === 0,
        })),
        width,
      ),
    [prediction],
  );
  return (
    <div>
      <h3>{title}</h3>
      <Chart label={`${title}: the most probable tokens`} draw={draw} />
    </div>
  );
}

const changesCsv = (
  { tokens }: Capture,
  before: readonly Prediction[],
  after: readonly Prediction[],
): string =>
  toCsv(
    ['position', 'token', 'kl_nats', 'top_with', 'logprob_with', 'top_without', 'logprob_without'],
    tokens.map(({ text }, index) => {
      const [first] = before[index]?.alternatives ?? [];
      const [second] = after[index]?.alternatives ?? [];
      return [
        index,
        text,
        after[index]?.kl ?? null,
        first?.text ?? null,
        first?.logprob ?? null,
        second?.text ?? null,
        second?.logprob ?? null,
      ];
    }),
  );
