import { LatheError } from '../../../preload/contract/errors.ts';
import type { Matrix } from '../linearAlgebra/matrix.ts';
import { nextTurn } from '../linearAlgebra/multiply.ts';

/** A row and the cosine of the angle between it and the one asked about. */
export interface Neighbour {
  readonly row: number;
  readonly cosine: number;
}

/** Rows compared between two turns of the event loop. */
const rowsAtATime = 4096;

/**
 * The rows whose directions are nearest to that of `row`, the nearest first, of equals the lower one;
 * the row itself and rows of zeros are left out. float64 sums. `usage` where the row itself is zero:
 * it has no direction.
 */
export async function nearestRows(
  { rows, columns, data }: Matrix<Float32Array>,
  row: number,
  count: number,
  signal?: AbortSignal,
): Promise<Neighbour[]> {
  const own = data.subarray(row * columns, (row + 1) * columns);
  const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
  if (length === 0) {
    throw new LatheError('usage', `this row is all zeros and has no direction: ${row}`, {
      value: String(row),
    });
  }
  const all: Neighbour[] = [];
  for (let other = 0; other < rows; other++) {
    if (other % rowsAtATime === 0) await nextTurn(signal);
    let product = 0;
    let square = 0;
    for (let i = 0, at = other * columns; i < columns; i++, at++) {
      product += own[i] * data[at];
      square += data[at] * data[at];
    }
    if (other !== row && square > 0) {
      all.push({ row: other, cosine: product / (length * Math.sqrt(square)) });
    }
  }
  return all.toSorted((a, b) => b.cosine - a.cosine || a.row - b.row).slice(0, count);
}
