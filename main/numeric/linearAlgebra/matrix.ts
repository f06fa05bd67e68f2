import { LatheError } from '../../../preload/contract/errors.ts';

/** Storage of real numbers. */
export type Floats = Float32Array | Float64Array;

/**
 * A dense row-major matrix. A linear layer's weight has rows = output channels N and columns =
 * input channels K (the transpose of an ONNX MatMul's [K, N]); activations have rows = tokens.
 */
export interface Matrix<T extends Floats = Floats> {
  readonly rows: number;
  readonly columns: number;
  readonly data: T;
}

/** `data` as a matrix of `rows` × `columns`; refuses another number of values. */
export function matrix<T extends Floats>(rows: number, columns: number, data: T): Matrix<T> {
  if (data.length !== rows * columns) {
    throw new LatheError(
      'tensor_mismatch',
      `a matrix of ${rows} × ${columns} needs ${rows * columns} values: ${data.length}`,
    );
  }
  return { rows, columns, data };
}

/** The transpose, [columns, rows], in float64. Tiled, so that both sides stay in the cache. */
export function transpose({ rows, columns, data }: Matrix): Matrix<Float64Array> {
  const result = new Float64Array(data.length);
  const tile = 32;
  for (let r0 = 0; r0 < rows; r0 += tile) {
    const r1 = Math.min(r0 + tile, rows);
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const c1 = Math.min(c0 + tile, columns);
      for (let c = c0; c < c1; c++) {
        for (let r = r0; r < r1; r++) result[c * rows + r] = data[r * columns + c];
      }
    }
  }
  return { rows: columns, columns: rows, data: result };
}

/** Refuses NaN and infinity: `what` names the values, `tensor` the tensor they stand in. */
export function requireFinite(values: Floats, what: string, tensor?: string): void {
  // A sum that is finite proves that all are; one that is not may have overflowed: then look.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  if (Number.isFinite(sum)) return;
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  const value = String(values[index]);
  throw new LatheError('values_not_finite', `${what} must be finite, at ${index}: ${value}`, {
    value,
    ...(tensor === undefined ? {} : { tensor }),
  });
}
