import { LatheError } from '../../../preload/contract/errors.ts';
import { type HessianFactor } from '../linearAlgebra/hessian.ts';
import { type Matrix } from '../linearAlgebra/matrix.ts';
import { nextTurn, type Run } from '../linearAlgebra/multiply.ts';
import { type ColumnRule, dampedError, feedBackErrors, inOrder } from './errorFeedback.ts';
import { type GridName, type GroupParameters, grids } from './grid.ts';
import {
  dequantize,
  groupsPerRow,
  prepareQuantized,
  type Quantized,
  type Resolution,
  withoutTrivialZeroPoints,
  zeroPointOf,
} from './quantized.ts';
import { quantizeRtn } from './rtn.ts';

/** Options of GPTQ. */
export interface GptqOptions extends Resolution, Run {
  readonly grid: GridName;
  /**
   * `static`: every group's parameters from the original weights, before the loop; needed with
   * activation order. `dynamic`: from the corrected weights when the loop reaches the group.
   */
  readonly groups?: 'static' | 'dynamic';
  /** Columns between two products with all columns behind; changes speed only. Default 128. */
  readonly blockSize?: number;
  /** Static parameters from elsewhere, for example `searchScale`, instead of the grid's own. */
  readonly parameters?: Quantized;
  /** Share of the rows finished, 0 … 1. */
  readonly onProgress?: (share: number) => void;
}

/** What was kept, and both errors as tr(D·H·Dᵀ) over the layer. */
export interface GptqResult {
  readonly quantized: Quantized;
  readonly kept: 'gptq' | 'rtn';
  /** Why round-to-nearest was kept, for the report; null when GPTQ was. */
  readonly reason: 'rtn is better' | 'Hessian not positive definite' | null;
  /** ½·Σ e² of the loop on the damped H; null when the loop did not run. */
  readonly loss: number | null;
  /** Error under H without damping; null when H could not be factored. */
  readonly error: { readonly gptq: number; readonly rtn: number } | null;
}

/** Rows worked on at a time: rows do not depend on each other, and the copy stays small. */
const rowsAtATime = 1024;

/**
 * GPTQ (arXiv 2210.17323): quantizes [N, K] column by column and lets the columns that are left
 * make up for the error, weighted by the inputs the layer sees (`factorHessian`). Compares the
 * result with round-to-nearest on the same grid and keeps the better: on small models plain GPTQ
 * can lose. With `factor` null it is round-to-nearest, and says so.
 * About N·K² multiply-adds and 16 bytes per weight of 1,024 rows.
 */
export async function quantizeGptq(
  weight: Matrix,
  factor: HessianFactor | null,
  options: GptqOptions,
): Promise<GptqResult> {
  const { rows, columns } = weight;
  const nearest = options.parameters
    ? recode(weight, options.parameters, options)
    : quantizeRtn(weight, options);
  if (factor === null) {
    const reason = 'Hessian not positive definite';
    return { quantized: nearest, kept: 'rtn', reason, loss: null, error: null };
  }
  checkOptions(weight, factor, options);
  const source = withoutDeadChannels(weight, factor);
  const quantized = prepareQuantized(source, options, 'integer');
  const fixed = options.parameters ?? (source === weight ? nearest : quantizeRtn(source, options));
  const blockSize = blockSizeOf(options, quantized);
  const nearestValues = dequantize(nearest);
  const sums = { damped: 0, dampedNearest: 0, square: 0, squareNearest: 0 };
  for (let row = 0; row < rows; row += rowsAtATime) {
    const count = Math.min(rowsAtATime, rows - row);
    await nextTurn(options.signal);
    const work = inOrder(factor, row, count, (i) => source.data[i]);
    const rule = quantizingRule(quantized, row, count, factor, options, fixed);
    sums.damped += await feedBackErrors(work, count, factor, blockSize, rule, options);
    const difference = inOrder(factor, row, count, (i) =>
      factor.dead[i % columns] ? 0 : weight.data[i] - nearestValues.data[i],
    );
    sums.squareNearest += sumOfSquares(difference);
    sums.dampedNearest += await dampedError(difference, count, factor, options);
    options.onProgress?.((row + count) / rows);
  }
  const values = dequantize(quantized);
  for (let i = 0; i < values.data.length; i++) {
    if (!factor.dead[i % columns]) sums.square += (source.data[i] - values.data[i]) ** 2;
  }
  // The damping's own share is known exactly; what is left is the error under H itself.
  const error = {
    gptq: Math.max(0, sums.damped - factor.damping * sums.square),
    rtn: Math.max(0, sums.dampedNearest - factor.damping * sums.squareNearest),
  };
  const better = error.gptq <= error.rtn;
  return {
    quantized: better ? withoutTrivialZeroPoints(quantized) : nearest,
    kept: better ? 'gptq' : 'rtn',
    reason: better ? null : 'rtn is better',
    loss: sums.damped / 2,
    error,
  };
}

function checkOptions(weight: Matrix, factor: HessianFactor, options: GptqOptions): void {
  if (factor.size !== weight.columns) {
    throw new LatheError(
      'tensor_mismatch',
      `a Hessian of ${factor.size} inputs does not fit a weight with: ${weight.columns}`,
    );
  }
  const { blockSize = 128, groups = 'static' } = options;
  if (!Number.isInteger(blockSize) || blockSize < 1) {
    throw new LatheError('usage', `block size must be a whole number from 1: ${blockSize}`);
  }
  if (groups === 'dynamic' && (options.parameters || !isNatural(factor.order))) {
    const because = options.parameters ? 'given parameters' : 'activation order';
    throw new LatheError('usage', `dynamic groups cannot be used with: ${because}`);
  }
}

/** A block holds whole dynamic groups, so that a group's columns are all corrected when it starts. */
function blockSizeOf({ blockSize = 128, groups }: GptqOptions, { groupSize }: Quantized): number {
  return groups === 'dynamic' ? Math.ceil(blockSize / groupSize) * groupSize : blockSize;
}

/** Rounds each corrected column to its groups' grids and writes codes in original column order. */
function quantizingRule(
  quantized: Quantized & { readonly zeroPoints: { readonly values: Uint8Array | Float32Array } },
  firstRow: number,
  rows: number,
  { order }: HessianFactor,
  { bits, grid: gridName, groups = 'static' }: GptqOptions,
  fixed: Quantized,
): ColumnRule {
  const grid = grids[gridName];
  const { columns, groupSize, codes, scales, zeroPoints } = quantized;
  const perRow = groupsPerRow(quantized);
  if (groups === 'static') {
    for (let i = firstRow * perRow; i < (firstRow + rows) * perRow; i++) {
      scales[i] = fixed.scales[i];
      zeroPoints.values[i] = zeroPointOf(fixed, i);
    }
  }
  const parameters: GroupParameters = { scale: 0, zeroPoint: 0 };
  const group = new Float64Array(groupSize);
  return {
    decide(first, index, panel, result) {
      const column = order[first + index];
      const inRow = Math.floor(column / groupSize);
      if (groups === 'dynamic' && column % groupSize === 0) {
        const length = Math.min(groupSize, columns - column);
        for (let row = 0; row < rows; row++) {
          for (let i = 0; i < length; i++) group[i] = panel[(index + i) * rows + row];
          const found = grid.parameters(group, 0, length, bits);
          const at = (firstRow + row) * perRow + inRow;
          scales[at] = found.scale;
          zeroPoints.values[at] = found.zeroPoint;
        }
      }
      for (let row = 0; row < rows; row++) {
        const at = (firstRow + row) * perRow + inRow;
        parameters.scale = scales[at];
        parameters.zeroPoint = zeroPoints.values[at];
        const code = grid.code(panel[index * rows + row], parameters, bits);
        codes[(firstRow + row) * columns + column] = code;
        // As the consumer will compute it: later columns make up for float32's rounding too.
        result[row] = Math.fround((code - parameters.zeroPoint) * parameters.scale);
      }
    },
  };
}

/** Round-to-nearest with parameters that were found elsewhere. */
function recode(weight: Matrix, parameters: Quantized, options: GptqOptions): Quantized {
  const quantized = prepareQuantized(weight, options, 'integer');
  const { groupSize, codes, scales, columns } = quantized;
  if (
    parameters.bits !== options.bits ||
    parameters.groupSize !== groupSize ||
    parameters.scales.length !== scales.length ||
    parameters.zeroPoints.kind === 'float'
  ) {
    throw new LatheError(
      'usage',
      'the given parameters do not fit the bits, groups and grid asked',
    );
  }
  const grid = grids[options.grid];
  const perRow = groupsPerRow(quantized);
  for (let i = 0; i < codes.length; i++) {
    const at = Math.floor(i / columns) * perRow + Math.floor((i % columns) / groupSize);
    const group = { scale: parameters.scales[at], zeroPoint: zeroPointOf(parameters, at) };
    codes[i] = grid.code(weight.data[i], group, options.bits);
  }
  return { ...parameters, codes };
}

/** Channels that are always 0 carry nothing: their weights become 0 and free the group's range. */
function withoutDeadChannels(weight: Matrix, { dead }: HessianFactor): Matrix {
  if (!dead.includes(1)) return weight;
  const data = weight.data.slice();
  for (let i = 0; i < data.length; i++) if (dead[i % weight.columns]) data[i] = 0;
  return { ...weight, data };
}

function isNatural(order: Uint32Array): boolean {
  return order.every((column, position) => column === position);
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}
