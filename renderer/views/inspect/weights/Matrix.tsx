import type { Weights } from '../../../../preload/contract/index.ts';
import { formatCount, formatShare } from '../../../ui/format.ts';
import { Figures } from '../parts/Figures.tsx';
import { fileName, formatFigure, formatProbability } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { ErrorMap } from './ErrorMap.tsx';
import { Outliers } from './Outliers.tsx';
import { Spectrum, Values } from './Spread.tsx';
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
          <ErrorMap
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
          value: zeros === 0 ? '0' : `${formatCount(zeros)} (${formatProbability(zeros / count)})`,
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
