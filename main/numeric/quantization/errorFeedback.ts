import { type HessianFactor } from '../linearAlgebra/hessian.ts';
import { type MatrixView, nextTurn, plainMultiply, type Run } from '../linearAlgebra/multiply.ts';

/** Decides what each column becomes while the columns after it make up for the error. */
export interface ColumnRule {
  /**
   * Called before the columns `first` … `first + width` are decided. `panel` [width, rows] holds
   * them one after the other (transposed), corrected for every column decided so far.
   */
  startBlock?(first: number, width: number, panel: Float64Array): void;
  /**
   * Called for column `first + index`: writes the value that replaces each row's into `result`
   * [rows]. `panel` is as above, corrected up to here.
   */
  decide(first: number, index: number, panel: Float64Array, result: Float64Array): void;
}

/**
 * The loop GPTQ and SparseGPT share (arXiv 2210.17323 and 2301.00774). `work` [rows, K] holds the
 * weights in the factor's order; column by column, the rule replaces w by ŵ, and e = (w - ŵ) / U_ii
 * is spread over the columns after it, W[:, j] -= e · U_ij: at once inside a block of `blockSize`,
 * in one product per block for the columns behind it. `work` ends up holding e.
 *
 * Returns Σ e², which is exactly tr(D·H·Dᵀ) of the damped H, D = original - replaced.
 * About rows · K² / 2 multiply-adds.
 */
export async function feedBackErrors(
  work: Float64Array,
  rows: number,
  { size, factor }: HessianFactor,
  blockSize: number,
  rule: ColumnRule,
  run: Run = {},
): Promise<number> {
  const { multiply = plainMultiply, signal } = run;
  const result = new Float64Array(rows);
  const view = (data: Float64Array, row: number, column: number, count: number, width: number) =>
    ({
      data,
      offset: row * size + column,
      stride: size,
      rows: count,
      columns: width,
    }) satisfies MatrixView;
  let total = 0;
  for (let first = 0; first < size; first += blockSize) {
    const width = Math.min(blockSize, size - first);
    await nextTurn(signal);
    if (first > 0) {
      // All errors so far at once; the columns to the left of the block hold them.
      await multiply.addProduct(
        view(work, 0, first, rows, width),
        -1,
        view(work, 0, 0, rows, first),
        view(factor, first, 0, width, first),
      );
    }
    const panel = new Float64Array(width * rows);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) panel[i * rows + row] = work[row * size + first + i];
    }
    rule.startBlock?.(first, width, panel);
    for (let i = 0; i < width; i++) {
      const column = (first + i) * size + first;
      const pivot = factor[column + i];
      rule.decide(first, i, panel, result);
      const errors = panel.subarray(i * rows, (i + 1) * rows);
      for (let row = 0; row < rows; row++) {
        const error = (errors[row] - result[row]) / pivot;
        errors[row] = error;
        total += error * error;
      }
      for (let j = i + 1; j < width; j++) {
        const weight = factor[(first + j) * size + first + i];
        if (weight === 0) continue;
        const later = j * rows;
        for (let row = 0; row < rows; row++) panel[later + row] -= weight * errors[row];
      }
    }
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) work[row * size + first + i] = panel[i * rows + row];
    }
  }
  return total;
}

/** `count` rows from `row` on, with the columns in the factor's order; `value` by original index. */
export function inOrder(
  { size, order }: HessianFactor,
  row: number,
  count: number,
  value: (index: number) => number,
): Float64Array {
  const result = new Float64Array(count * size);
  for (let r = 0; r < count; r++) {
    for (let i = 0; i < size; i++) result[r * size + i] = value((row + r) * size + order[i]);
  }
  return result;
}

/**
 * tr(D·H·Dᵀ) on the damped H for a difference `work` [rows, K] in the factor's order: the error a
 * finished layer has, in the same measure as `feedBackErrors` returns. `work` is used up.
 */
export function dampedError(
  work: Float64Array,
  rows: number,
  factor: HessianFactor,
  run: Run = {},
): Promise<number> {
  const zero: ColumnRule = { decide: (_first, _index, _panel, result) => void result.fill(0) };
  return feedBackErrors(work, rows, factor, 128, zero, run);
}
