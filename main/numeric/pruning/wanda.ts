import { LatheError } from '../../../preload/contract/errors.ts';
import { type Floats, type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';
import {
  applyMask,
  checkSparsity,
  keepAllBut,
  patternMask,
  type Pruned,
  type Sparsity,
} from './mask.ts';

/**
 * Wanda (arXiv 2306.11695): score |w| · √(mean x²), compared within each output row of [N, K]:
 * the ⌊K·share⌋ lowest of every row become 0, or n of m by pattern. `meanSquares` [K] is mean x² of
 * each input channel over the calibration tokens. Survivors stay as they are.
 */
export function pruneWanda(weight: Matrix, meanSquares: Floats, sparsity: Sparsity): Pruned {
  const { rows, columns, data } = weight;
  checkSparsity(sparsity, columns);
  requireFinite(data, 'weights');
  requireFinite(meanSquares, 'mean squares of the inputs');
  if (meanSquares.length !== columns) {
    throw new LatheError(
      'tensor_mismatch',
      `mean squares of ${columns} input channels are: ${meanSquares.length}`,
    );
  }
  const norms = Float64Array.from(meanSquares, Math.sqrt);
  const score = (index: number) => Math.abs(data[index]) * norms[index % columns];
  if (sparsity.kind === 'n:m') return applyMask(weight, patternMask(weight, sparsity, score));
  const kept = new Uint8Array(rows * columns);
  const scores = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) scores[i] = score(row * columns + i);
    keepAllBut(scores, Math.floor(columns * sparsity.share), kept, row * columns);
  }
  return applyMask(weight, kept);
}

/** mean x² of each input channel, [K], from the diagonal of H = (2/n)·Σ x·xᵀ. */
export function meanSquaresOf(hessian: Float64Array, size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => hessian[i * size + i] / 2);
}
