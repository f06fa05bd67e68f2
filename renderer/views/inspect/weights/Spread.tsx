import { useCallback, useMemo } from 'react';
import type { Weights } from '../../../../preload/contract/index.ts';
import { drawHistogram } from '../../../charts/histogram.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { formatCount } from '../../../ui/format.ts';
import { toCsv } from '../../../ui/save.ts';
import { useStudio } from '../../studioContext.ts';
import { LinesChart } from '../parts/LinesChart.tsx';
import parts from '../parts/parts.module.css';

interface SpreadProps {
  model: string;
  matrix: Weights;
  name: string;
}

/** How the weights are spread, beside those of the other model. */
export function Values({ model, matrix, name }: SpreadProps) {
  const { colors } = useStudio();
  const { histogram, difference } = matrix;
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawHistogram(
        svg,
        {
          now: { label: model, color: colors.of(model), ...histogram },
          before: difference && {
            label: difference.model,
            color: colors.of(difference.model),
            ...difference.histogram,
          },
        },
        width,
      ),
    [model, histogram, difference, colors],
  );
  const csv = (): string => {
    const { from, to, counts } = histogram;
    const size = (to - from) / Math.max(1, counts.length);
    return toCsv(
      ['from', 'to', model, ...(difference ? [difference.model] : [])],
      counts.map((count, at) => [
        from + at * size,
        from + (at + 1) * size,
        count,
        ...(difference ? [difference.histogram.counts[at] ?? null] : []),
      ]),
    );
  };
  return (
    <section className={parts.section} aria-label="Values">
      <div className={parts.head}>
        <h3>Values</h3>
      </div>
      <Chart
        label={`Histogram of the weights of ${matrix.layer}`}
        draw={draw}
        save={{ name: `${name}-histogram`, csv }}
      />
    </section>
  );
}

/** The singular values of the matrix, beside those of the other model. */
export function Spectrum({ model, matrix, name }: SpreadProps) {
  const { colors } = useStudio();
  const { singularValues, difference } = matrix;
  const picture = useMemo(
    () => ({
      caption: 'Singular values, logarithmic',
      steps: 'by rank',
      first: 1,
      logarithmic: true,
      lines: [
        { label: model, color: colors.of(model), values: singularValues },
        ...(difference
          ? [
              {
                label: difference.model,
                color: colors.of(difference.model),
                values: difference.singularValues,
              },
            ]
          : []),
      ],
    }),
    [model, singularValues, difference, colors],
  );
  return (
    <section className={parts.section} aria-label="Singular values">
      <div className={parts.head}>
        <h3>Singular values</h3>
        {singularValues.length > 0 && <span>the {formatCount(singularValues.length)} largest</span>}
      </div>
      {singularValues.length === 0 ? (
        <p className={parts.note}>
          Left out: for a matrix of this size they would take minutes (over 1,536 channels on the
          smaller side).
        </p>
      ) : (
        <LinesChart
          label={`Singular values of ${matrix.layer}`}
          step={(rank) => `rank ${rank}`}
          picture={picture}
          save={{
            name: `${name}-singular-values`,
            csv: () =>
              toCsv(
                ['rank', model, ...(difference ? [difference.model] : [])],
                Array.from(singularValues, (value, at) => [
                  at + 1,
                  value,
                  ...(difference ? [difference.singularValues[at] ?? null] : []),
                ]),
              ),
            npy: () => ({ shape: [singularValues.length], data: singularValues }),
          }}
        />
      )}
    </section>
  );
}
