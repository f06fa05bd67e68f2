import { LatheError } from '../../../preload/contract/errors.ts';
import { choleskyInPlace, invertLower } from '../linearAlgebra/cholesky.ts';
import { type Matrix, requireFinite, transpose } from '../linearAlgebra/matrix.ts';
import { plainMultiply, type Run, wholeView } from '../linearAlgebra/multiply.ts';
import { singularValues } from '../linearAlgebra/singularValues.ts';

/** Two factors in place of one weight: W ≈ left · right. */
export interface LowRank {
  /** [N, rank]. */
  readonly left: Matrix<Float32Array>;
  /** [rank, K]. */
  readonly right: Matrix<Float32Array>;
  /**
   * Σ_{i>rank} σ_i²: with `moments` the squared output error of one calibration token, summed over
   * outputs (damping included), otherwise Σ (w - ŵ)².
   */
  readonly error: number;
  /** All singular values of the whitened weight, falling: what other ranks would cost. */
  readonly singularValues: Float64Array;
}

/** Options of the factorisation. */
export interface LowRankOptions extends Run {
  readonly rank: number;
  /** M = (1/T)·Σ x·xᵀ [K, K]: half of the Hessian. Without it every input counts alike. */
  readonly moments?: Float64Array;
  /** Share of the mean diagonal added to the diagonal of M. Default 0.01. */
  readonly damp?: number;
}

/**
 * Low-rank factorisation of [N, K], best for the layer's output: with S the Cholesky factor of the
 * inputs' second moments, the singular values of W·S are cut after `rank`, and S taken off again:
 * W ≈ U_r Σ_r · V_rᵀ S⁻¹. Worth it only while rank · (N + K) < N · K.
 */
export async function lowRank(weight: Matrix, options: LowRankOptions): Promise<LowRank> {
  const { rows, columns } = weight;
  const { rank, moments, damp = 0.01, multiply = plainMultiply, signal } = options;
  requireFinite(weight.data, 'weights');
  const most = Math.min(rows, columns);
  if (!Number.isInteger(rank) || rank < 1 || rank > most) {
    throw new LatheError('usage', `the rank must be from 1 to ${most}: ${rank}`);
  }
  const whiten = moments ? await whitening(moments, columns, damp, { multiply, signal }) : null;
  let source: Matrix = weight;
  if (whiten) {
    const whitened = new Float64Array(rows * columns);
    // S is lower triangular; its transpose's rows are its columns, which the product walks along.
    await multiply.addProduct(
      wholeView(whitened, rows, columns),
      1,
      wholeView(Float64Array.from(weight.data), rows, columns),
      wholeView(whiten.transposed, columns, columns),
    );
    source = { rows, columns, data: whitened };
  }
  const { left, values, right } = await singularValues(source, { multiply, signal });
  const first = new Float32Array(rows * rank);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < rank; i++) first[row * rank + i] = left.data[row * most + i] * values[i];
  }
  let second = right.data.slice(0, rank * columns);
  if (whiten) {
    const unwhitened = new Float64Array(rank * columns);
    await multiply.addProduct(
      wholeView(unwhitened, rank, columns),
      1,
      wholeView(second, rank, columns),
      wholeView(whiten.inverseTransposed, columns, columns),
    );
    second = unwhitened;
  }
  let error = 0;
  for (let i = rank; i < values.length; i++) error += values[i] ** 2;
  return {
    left: { rows, columns: rank, data: first },
    right: { rows: rank, columns, data: Float32Array.from(second) },
    error,
    singularValues: values,
  };
}

/** Sᵀ and S⁻ᵀ of the damped moments. */
async function whitening(
  moments: Float64Array,
  size: number,
  damp: number,
  run: Run,
): Promise<{ transposed: Float64Array; inverseTransposed: Float64Array }> {
  if (moments.length !== size * size) {
    throw new LatheError(
      'tensor_mismatch',
      `moments of ${size} inputs need ${size * size} values: ${moments.length}`,
    );
  }
  requireFinite(moments, 'moments of the inputs');
  const lower = moments.slice();
  let trace = 0;
  for (let i = 0; i < size; i++) trace += lower[i * size + i];
  // Inputs that are all zero leave nothing to weigh: every input then counts alike.
  const added = trace > 0 ? (damp * trace) / size : 1;
  for (let i = 0; i < size; i++) lower[i * size + i] += added;
  if (!(await choleskyInPlace(lower, size, run))) {
    throw new LatheError(
      'usage',
      `the inputs' moments are not positive definite, with damping: ${damp}`,
    );
  }
  for (let i = 0; i < size; i++) lower.fill(0, i * size + i + 1, (i + 1) * size);
  const inverse = await invertLower(lower, size, run);
  const flip = (data: Float64Array) => transpose({ rows: size, columns: size, data }).data;
  return { transposed: flip(lower), inverseTransposed: flip(inverse) };
}
