import { LatheError } from '../../../preload/contract/errors.ts';
import { type Floats, type Matrix } from '../linearAlgebra/matrix.ts';
import { plainMultiply, type Run, wholeView } from '../linearAlgebra/multiply.ts';

/** How far `approximation` is from `original`, in weights alone. */
export interface WeightError {
  /** ‖w - ŵ‖ / ‖w‖ (Frobenius); 0 when both are all zero. */
  readonly relative: number;
  /** Mean of (w - ŵ)². */
  readonly meanSquare: number;
  /** 10·log₁₀(Σw² / Σ(w - ŵ)²) in dB; Infinity when nothing was lost. */
  readonly signalToNoise: number;
}

/** Error of two tensors of equal length, summed in float64. */
export function weightError(original: Floats, approximation: Floats): WeightError {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < original.length; i++) {
    signal += original[i] * original[i];
    noise += (original[i] - approximation[i]) ** 2;
  }
  return {
    relative: noise === 0 ? 0 : Math.sqrt(noise / signal),
    meanSquare: original.length === 0 ? 0 : noise / original.length,
    signalToNoise: noise === 0 ? Infinity : 10 * Math.log10(signal / noise),
  };
}

/** Rows of the difference multiplied at a time: bounds the copy to a few megabytes. */
const rowsAtATime = 256;

/**
 * Error of a layer's output on the calibration data, tr(D·H·Dᵀ) with D = w - ŵ [N, K] and
 * H = (2/n)·Σ x·xᵀ [K, K]: twice the squared output error of one token, summed over the N outputs.
 * N·K² multiply-adds.
 */
export async function outputError(
  original: Matrix,
  approximation: Matrix,
  hessian: Float64Array,
  run: Run = {},
): Promise<number> {
  const { multiply = plainMultiply } = run;
  const { rows, columns } = original;
  if (hessian.length !== columns * columns) {
    throw new LatheError(
      'tensor_mismatch',
      `the Hessian of ${columns} inputs needs ${columns * columns} values: ${hessian.length}`,
    );
  }
  let error = 0;
  for (let row = 0; row < rows; row += rowsAtATime) {
    const count = Math.min(rowsAtATime, rows - row);
    const difference = new Float64Array(count * columns);
    for (let i = 0, at = row * columns; i < difference.length; i++, at++) {
      difference[i] = original.data[at] - approximation.data[at];
    }
    const product = new Float64Array(count * columns);
    // H is symmetric: its rows are its columns.
    await multiply.addProduct(
      wholeView(product, count, columns),
      1,
      wholeView(difference, count, columns),
      wholeView(hessian, columns, columns),
    );
    for (let i = 0; i < product.length; i++) error += product[i] * difference[i];
  }
  return error;
}
