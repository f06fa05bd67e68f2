import { useCallback, useMemo, useState } from 'react';
import type { Weights } from '../../../../preload/contract/index.ts';
import {
  drawErrorGrid,
  gridSize,
  partAt,
  type ErrorGrid as Grid,
} from '../../../charts/errorGrid.ts';
import { drawHistogram } from '../../../charts/histogram.ts';
import type { Surface } from '../../../charts/surface.ts';
import { CanvasView, type Size } from '../../../ui/CanvasView.tsx';
import { Chart } from '../../../ui/Chart.tsx';
import { formatCount, formatShare } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { wholeSvg } from '../../../ui/wholePicture.ts';
import { useStudio } from '../../studioContext.ts';
import { Figures } from '../parts/Figures.tsx';
import { fileName, formatFigure, formatProbability } from '../parts/figures.ts';
import { LinesChart } from '../parts/LinesChart.tsx';
import parts from '../parts/parts.module.css';
import classes from './weights.module.css';

interface MatrixProps {
  model: string;
  matrix: Weights;
  /** Whether there is another model that it could have been compared with. */
  isCompared: boolean;
}

/** One matrix: how its values are spread, what stands out, and what a pass did to it. */
export function Matrix({ model, matrix, isCompared }: MatrixProps) {
  const { difference } = matrix;
  const name = fileName(model, matrix.layer);
  return (
    <>
      <section className={parts.section} aria-label="Figures of the matrix">
        <MatrixFigures matrix={matrix} />
        {isCompared && !difference && (
          <p className={parts.note}>
            The other model has no matrix of this name and shape (it was pruned or factored, or is
            of another family), so there is nothing to hold this one against.
          </p>
        )}
      </section>
      <div className={classes.pair}>
        <Values model={model} matrix={matrix} name={name} />
        <Spectrum model={model} matrix={matrix} name={name} />
        {difference && (
          <ErrorGrid
            name={name}
            grid={{
              rows: matrix.rows,
              columns: matrix.columns,
              gridRows: difference.gridRows,
              gridColumns: difference.gridColumns,
              values: difference.grid,
            }}
          />
        )}
        <Outliers matrix={matrix} name={name} />
      </div>
    </>
  );
}

function MatrixFigures({ matrix }: { matrix: Weights }) {
  const { rows, columns, stored, bits, mean, deviation, zeros, difference } = matrix;
  const count = rows * columns;
  return (
    <Figures
      label="The matrix in figures"
      figures={[
        {
          name: 'Shape',
          explanation: 'Output channels × input channels.',
          value: `${formatCount(rows)} × ${formatCount(columns)}`,
        },
        { name: 'Stored as', explanation: 'The form in the file.', value: stored },
        {
          name: 'Bits per weight',
          explanation: 'Scales and zero points included.',
          value: bits.toFixed(2),
        },
        { name: 'Mean', explanation: 'Of all weights.', value: formatFigure(mean) },
        {
          name: 'Deviation',
          explanation: 'Standard deviation of all weights.',
          value: formatFigure(deviation),
        },
        {
          name: 'Zeros',
          explanation: 'Weights that are exactly zero.',
          value: `${formatCount(zeros)} (${formatProbability(zeros / Math.max(1, count))})`,
        },
        ...(difference
          ? [
              {
                name: 'Relative error',
                explanation: `‖W − W₀‖ / ‖W₀‖ against ${difference.model}.`,
                value: formatShare(difference.relativeError),
              },
            ]
          : []),
      ]}
    />
  );
}

interface PartProps {
  model: string;
  matrix: Weights;
  name: string;
}

function Values({ model, matrix, name }: PartProps) {
  const { histogram, difference } = matrix;
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawHistogram(
        svg,
        {
          now: { label: model, ...histogram },
          before: difference && { label: difference.model, ...difference.histogram },
        },
        width,
      ),
    [model, histogram, difference],
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

function Spectrum({ model, matrix, name }: PartProps) {
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
        <span>the {formatCount(singularValues.length)} largest</span>
      </div>
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
    </section>
  );
}

function ErrorGrid({ name, grid }: { name: string; grid: Grid }) {
  const [width, setWidth] = useState(480);
  const [part, setPart] = useState<{ row: number; column: number } | null>(null);
  const draw = useCallback(
    (surface: Surface) => drawErrorGrid(surface, grid, width),
    [grid, width],
  );
  const onRoom = useCallback((room: Size) => setWidth(room.width), []);
  return (
    <section className={parts.section} aria-label="Error by place">
      <div className={parts.head}>
        <h3>Error by place</h3>
        <span>{part && partText(grid, part)}</span>
        <span className={parts.end}>
          <SaveMenu
            label="Save the error map"
            name={`${name}-error`}
            svg={() => wholeSvg(gridSize(grid, width), draw)}
            npy={() => ({ shape: [grid.gridRows, grid.gridColumns], data: grid.values })}
          />
        </span>
      </div>
      <div style={{ height: gridSize(grid, width).height }}>
        <CanvasView
          label="Root mean square error of the weights by place in the matrix"
          size={() => gridSize(grid, width)}
          draw={draw}
          onRoom={onRoom}
          onPoint={(point) => setPart(point && partAt(grid, width, point))}
        />
      </div>
    </section>
  );
}

/** The channels of a part of the grid: `32–63`. */
function span(at: number, count: number, all: number): string {
  const from = Math.floor((at * all) / count);
  const to = Math.max(from, Math.floor(((at + 1) * all) / count) - 1);
  return from === to ? String(from) : `${from}–${to}`;
}

/** Which channels a part covers and its error. */
function partText(grid: Grid, { row, column }: { row: number; column: number }): string {
  const { rows, columns, gridRows, gridColumns, values } = grid;
  const error = values[row * gridColumns + column] ?? 0;
  return `output ${span(row, gridRows, rows)}, input ${span(column, gridColumns, columns)}: ${formatFigure(error)}`;
}

const mostListed = 12;

function Outliers({ matrix, name }: { matrix: Weights; name: string }) {
  const { outliers } = matrix;
  return (
    <section className={parts.section} aria-label="Outlier channels">
      <div className={parts.head}>
        <h3>Outlier channels</h3>
        {outliers.length > mostListed && (
          <span>
            {mostListed} of {formatCount(outliers.length)}
          </span>
        )}
        {outliers.length > 0 && (
          <span className={parts.end}>
            <SaveMenu
              label="Save the outlier channels"
              name={`${name}-outliers`}
              csv={() =>
                toCsv(
                  ['channel', 'largest'],
                  outliers.map(({ channel, largest }) => [channel, largest]),
                )
              }
              json={() => outliers}
            />
          </span>
        )}
      </div>
      <p className={parts.note}>
        Input channels whose largest weight stands out by more than 6 deviations from those of all
        channels. {outliers.length === 0 && 'This matrix has none.'}
      </p>
      {outliers.length > 0 && (
        <table className={parts.table}>
          <thead>
            <tr>
              <th scope="col">Input channel</th>
              <th scope="col" data-number>
                Largest weight
              </th>
            </tr>
          </thead>
          <tbody>
            {outliers.slice(0, mostListed).map(({ channel, largest }) => (
              <tr key={channel}>
                <td>{channel}</td>
                <td data-number>{formatFigure(largest)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
