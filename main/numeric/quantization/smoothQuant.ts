import { LatheError } from '../../../preload/contract/errors.ts';
import { type Floats, type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';

/** Largest |value| of each column, [K]: of activations over tokens, or of a weight over outputs. */
export function columnMaxima({ rows, columns, data }: Matrix): Float64Array {
  requireFinite(data, 'values');
  const result = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0, at = row * columns; i < columns; i++, at++) {
      const magnitude = Math.abs(data[at]);
      if (magnitude > result[i]) result[i] = magnitude;
    }
  }
  return result;
}

/**
 * SmoothQuant's factors (arXiv 2211.10438), [K]: s = max|x|^α / max|w|^(1-α), at least 1e-5, with
 * the maximum over all `consumers` [N, K] of the same input. Divide the norm before them (weight
 * and bias) by s and multiply their columns by s: nothing changes but the ranges.
 */
export function smoothingScales(
  activationMaxima: Floats,
  consumers: readonly Matrix[],
  alpha: number,
): Float64Array {
  if (!(alpha >= 0 && alpha <= 1)) {
    throw new LatheError('usage', `alpha must be from 0 to 1: ${alpha}`);
  }
  requireFinite(activationMaxima, 'activation maxima');
  const size = activationMaxima.length;
  const weightMaxima = new Float64Array(size).fill(1e-5);
  for (const consumer of consumers) {
    if (consumer.columns !== size) {
      throw new LatheError(
        'tensor_mismatch',
        `a consumer of ${size} input channels has: ${consumer.columns}`,
      );
    }
    columnMaxima(consumer).forEach((value, i) => {
      if (value > weightMaxima[i]) weightMaxima[i] = value;
    });
  }
  return weightMaxima.map((weightMaximum, i) =>
    Math.max(1e-5, activationMaxima[i] ** alpha / weightMaximum ** (1 - alpha)),
  );
}

/** A copy of `weight` [N, K] with column k multiplied by `scales[k]`, as float32. */
export function scaleColumns(
  { rows, columns, data }: Matrix,
  scales: Floats,
): Matrix<Float32Array> {
  const result = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) result[i] = data[i] * scales[i % columns];
  return { rows, columns, data: result };
}
