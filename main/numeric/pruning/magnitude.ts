import { type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';
import {
  applyMask,
  checkSparsity,
  keepAllBut,
  patternMask,
  type Pruned,
  type Sparsity,
} from './mask.ts';

/**
 * Zeros the weights of least magnitude: over the whole layer [N, K], as the reference does
 * (threshold = the ⌊N·K·share⌋-th of the sorted magnitudes, itself included), row by row
 * (⌊K·share⌋ each), or by pattern. No data needed.
 */
export function pruneMagnitude(
  weight: Matrix,
  sparsity: Sparsity,
  compare: 'layer' | 'row' = 'layer',
): Pruned {
  const { rows, columns, data } = weight;
  checkSparsity(sparsity, columns);
  requireFinite(data, 'weights');
  if (sparsity.kind === 'n:m') {
    return applyMask(
      weight,
      patternMask(weight, sparsity, (i) => Math.abs(data[i])),
    );
  }
  const kept = new Uint8Array(rows * columns);
  if (compare === 'layer') {
    const count = sparsity.share === 0 ? 0 : Math.floor(data.length * sparsity.share) + 1;
    keepAllBut(Float64Array.from(data, Math.abs), Math.min(count, data.length), kept, 0);
  } else {
    const count = Math.floor(columns * sparsity.share);
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      keepAllBut(Float64Array.from(data.subarray(at, at + columns), Math.abs), count, kept, at);
    }
  }
  return applyMask(weight, kept);
}
