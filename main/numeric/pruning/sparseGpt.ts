import { LatheError } from '../../../preload/contract/errors.ts';
import { type HessianFactor } from '../linearAlgebra/hessian.ts';
import { type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';
import { type Run } from '../linearAlgebra/multiply.ts';
import { type ColumnRule, feedBackErrors, inOrder } from '../quantization/errorFeedback.ts';
import { type GridName, type GroupParameters, grids } from '../quantization/grid.ts';
import {
  dequantize,
  groupsPerRow,
  prepareQuantized,
  type Quantized,
  type Resolution,
} from '../quantization/quantized.ts';
import { quantizeRtn } from '../quantization/rtn.ts';
import { checkSparsity, keepAllBut, type Pruned, type Sparsity } from './mask.ts';

/** Options of SparseGPT. */
export interface SparseGptOptions extends Run {
  readonly sparsity: Sparsity;
  /** Quantizes the survivors in the same loop, parameters from the original weights. */
  readonly quantize?: Resolution & { readonly grid: GridName };
  /** Columns whose weights compete for their place; 128 in the reference. */
  readonly blockSize?: number;
}

/** The pruned weight; `quantized` stands for the same values, pruned ones at the zero point. */
export interface SparseGptResult extends Pruned {
  readonly quantized: Quantized | null;
  /** Σ e² = tr(D·H·Dᵀ) on the damped H. */
  readonly error: number;
}

/**
 * SparseGPT (arXiv 2301.00774): prunes [N, K] column by column like GPTQ, weights still to come
 * making up for those removed. Score w² / U_jj² of the weights as corrected so far: per block of
 * 128 columns the threshold is the value at index ⌊size·share⌋ of its sorted scores, or n of each
 * m columns by pattern. `factor` must be in natural order. N·K² / 2 multiply-adds.
 */
export async function pruneSparseGpt(
  weight: Matrix,
  factor: HessianFactor,
  options: SparseGptOptions,
): Promise<SparseGptResult> {
  const { rows, columns, data } = weight;
  const { sparsity, blockSize: askedBlock = 128 } = options;
  checkSparsity(sparsity, columns);
  requireFinite(data, 'weights');
  if (factor.size !== columns || factor.order.some((column, i) => column !== i)) {
    throw new LatheError(
      'tensor_mismatch',
      `SparseGPT needs a Hessian of ${columns} inputs in natural order: ${factor.size}`,
    );
  }
  if (!Number.isInteger(askedBlock) || askedBlock < 1) {
    throw new LatheError('usage', `block size must be a whole number from 1: ${askedBlock}`);
  }
  // A group of the pattern must lie inside one block: all its columns are corrected there.
  const unit = sparsity.kind === 'n:m' ? sparsity.of : 1;
  const blockSize = Math.ceil(askedBlock / unit) * unit;
  const quantized = options.quantize ? startQuantized(weight, factor, options.quantize) : null;
  const kept = new Uint8Array(rows * columns).fill(1);
  const result = new Float32Array(rows * columns);
  const work = inOrder(factor, 0, rows, (i) => (factor.dead[i % columns] ? 0 : data[i]));
  const grid = options.quantize ? grids[options.quantize.grid] : null;
  const parameters: GroupParameters = { scale: 0, zeroPoint: 0 };

  const rule: ColumnRule = {
    startBlock(first, width, panel) {
      if (sparsity.kind === 'unstructured') {
        maskBlock(first, width, panel, sparsity.share);
      }
    },
    decide(first, index, panel, values) {
      const column = first + index;
      if (sparsity.kind === 'n:m' && column % sparsity.of === 0) {
        maskPattern(first, index, panel, sparsity);
      }
      for (let row = 0; row < rows; row++) {
        const at = row * columns + column;
        let value = kept[at] ? panel[index * rows + row] : 0;
        if (quantized && grid) {
          const group = row * groupsPerRow(quantized) + Math.floor(column / quantized.groupSize);
          parameters.scale = quantized.scales[group];
          parameters.zeroPoint = quantized.zeroPoints.values[group];
          const code = kept[at]
            ? grid.code(value, parameters, quantized.bits)
            : parameters.zeroPoint;
          quantized.codes[at] = code;
          value = Math.fround((code - parameters.zeroPoint) * parameters.scale);
        }
        values[row] = value;
        result[at] = value;
      }
    },
  };
  const error = await feedBackErrors(work, rows, factor, blockSize, rule, options);
  const values = quantized ? dequantize(quantized).data : result;
  return { weight: { rows, columns, data: values }, kept, quantized, error };

  function maskBlock(first: number, width: number, panel: Float64Array, share: number): void {
    if (share === 0) return;
    const scores = new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) {
        scores[row * width + i] = score(panel[i * rows + row], first + i);
      }
    }
    // The threshold itself goes too, as in the reference.
    const count = Math.min(Math.floor(scores.length * share) + 1, scores.length);
    const block = new Uint8Array(scores.length);
    keepAllBut(scores, count, block, 0);
    for (let row = 0; row < rows; row++) {
      kept.set(block.subarray(row * width, (row + 1) * width), row * columns + first);
    }
  }

  function maskPattern(
    first: number,
    index: number,
    panel: Float64Array,
    { zeros, of }: { readonly zeros: number; readonly of: number },
  ): void {
    const scores = new Float64Array(of);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < of; i++) {
        scores[i] = score(panel[(index + i) * rows + row], first + index + i);
      }
      keepAllBut(scores, zeros, kept, row * columns + first + index);
    }
  }

  function score(value: number, column: number): number {
    return (value / factor.factor[column * columns + column]) ** 2;
  }
}

/** Static parameters from the original weights, channels without input left out. */
function startQuantized(
  weight: Matrix,
  { dead }: HessianFactor,
  options: Resolution & { readonly grid: GridName },
) {
  const data = weight.data.map((value, i) => (dead[i % weight.columns] ? 0 : value));
  const start = quantizeRtn({ ...weight, data }, options);
  const quantized = prepareQuantized(weight, options, 'integer');
  quantized.scales.set(start.scales);
  if (start.zeroPoints.kind === 'midpoint')
    quantized.zeroPoints.values.fill(2 ** (options.bits - 1));
  else quantized.zeroPoints.values.set(start.zeroPoints.values);
  return quantized;
}
