import { useCallback, useMemo } from 'react';
import type { Capture, Lens, Prediction } from '../../../../preload/contract/index.ts';
import { drawAlternatives } from '../../../charts/alternatives.ts';
import { drawLines, type LinesPicture } from '../../../charts/lines.ts';
import { columnOf, cellTops, finalTopOf } from '../../../state/lens.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { visible } from '../../../ui/format.ts';
import { toCsv } from '../../../ui/save.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName, formatFigure } from '../parts/figures.ts';
import { DirectPart } from './DirectPart.tsx';
import classes from './Lens.module.css';

interface PositionPaneProps {
  capture: Capture;
  predictions: readonly Prediction[] | null;
  lens: Lens | null;
}

/** One position: what is said there, how it came about over the layers, and what made it so. */
export function PositionPane({ capture, predictions, lens }: PositionPaneProps) {
  const { inspect } = useStudio();
  const asked = usePart(inspect.store, (state) => state.position);
  const position = Math.min(asked, capture.tokens.length - 1);
  const token = capture.tokens[position];
  const prediction = predictions?.[position] ?? null;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <section aria-label="One position" className={classes.side} tabIndex={0}>
      <h2>
        Behind <span className="mono">{visible(token?.text ?? '')}</span>
      </h2>
      <p className={classes.note}>
        token {position} of {capture.tokens.length}
        {prediction && `, entropy ${formatFigure(prediction.entropy)} bits`}
      </p>
      {prediction && <Alternatives capture={capture} position={position} prediction={prediction} />}
      {lens && <Column capture={capture} lens={lens} position={position} />}
      <DirectPart
        capture={capture}
        position={position}
        candidates={prediction?.alternatives ?? []}
      />
    </section>
  );
}

interface AlternativesProps {
  capture: Capture;
  position: number;
  prediction: Prediction;
}

/** The tokens that could follow, the one that does marked. */
function Alternatives({ capture, position, prediction }: AlternativesProps) {
  const next = capture.tokens[position + 1];
  const rows = useMemo(() => {
    const { alternatives, logprob } = prediction;
    const best = alternatives.map(({ id, text, logprob: value }, index) => ({
      rank: index + 1,
      label: visible(text),
      logprob: value,
      chosen: id === next?.id,
    }));
    if (!next || logprob === null || best.some(({ chosen }) => chosen)) return best;
    return [...best, { rank: null, label: visible(next.text), logprob, chosen: true }];
  }, [prediction, next]);
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawAlternatives(svg, rows, width),
    [rows],
  );
  const name = fileName(capture.model, `alternatives-${position}`);
  return (
    <Chart
      label={`The ${rows.length} most probable tokens`}
      draw={draw}
      saveAbove
      save={{
        name,
        csv: () =>
          toCsv(
            ['id', 'token', 'logprob'],
            prediction.alternatives.map(({ id, text, logprob }) => [id, text, logprob]),
          ),
        json: () => prediction,
      }}
    />
  );
}

/** The column of the grid as lines over the layers. */
function Column({ capture, lens, position }: { capture: Capture; lens: Lens; position: number }) {
  const final = useMemo(() => columnOf(lens, lens.final, position), [lens, position]);
  const top = useMemo(() => columnOf(lens, cellTops(lens), position), [lens, position]);
  const norms = useMemo(() => columnOf(lens, lens.norms, position), [lens, position]);
  const token = visible(finalTopOf(lens, position));
  const probabilities = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawLines(
        svg,
        picture('Probability', [
          { label: `${token}, the final token`, color: 'var(--lathe-accent)', values: final },
          { label: 'top token of the layer', color: 'var(--lathe-bar)', values: top },
        ]),
        width,
      ),
    [final, top, token],
  );
  const residual = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawLines(
        svg,
        picture('Length of the residual stream', [
          { label: 'norm', color: 'var(--lathe-accent)', values: norms },
        ]),
        width,
      ),
    [norms],
  );
  const save = {
    name: fileName(capture.model, `column-${position}`),
    csv: () =>
      toCsv(
        ['row', 'final_probability', 'top_probability', 'norm'],
        final.map((value, row) => [row, value, top[row] ?? null, norms[row] ?? null]),
      ),
    json: () => ({ position, final, top, norms }),
  };
  return (
    <>
      <h3>Over the layers</h3>
      <Chart
        label={`Probability of the final token over the layers, ${formatFigure(final.at(-1) ?? 0)} at the end`}
        draw={probabilities}
        save={save}
      />
      <Chart label="Length of the residual stream over the layers" draw={residual} save={save} />
    </>
  );
}

const picture = (caption: string, lines: LinesPicture['lines']): LinesPicture => ({
  caption,
  steps: 'blocks passed; 0 is the embedding',
  first: 0,
  lines,
});
