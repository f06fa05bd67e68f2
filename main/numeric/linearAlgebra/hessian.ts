import { LatheError } from '../../../preload/contract/errors.ts';
import { inverseFactorInPlace } from './cholesky.ts';
import { type Matrix, requireFinite } from './matrix.ts';
import { nextTurn, plainMultiply, type Run } from './multiply.ts';

/**
 * Second moments of a layer's inputs, gathered batch by batch: H = (2/n)·Σ x·xᵀ over n tokens,
 * [size, size], float64, 8·size² bytes.
 */
export interface Hessian {
  readonly size: number;
  /** Σ x·xᵀ; only the lower triangle is kept up to date. */
  readonly sums: Float64Array;
  tokens: number;
}

/** No tokens yet. */
export function createHessian(size: number): Hessian {
  return { size, sums: new Float64Array(size * size), tokens: 0 };
}

/** Tokens transposed at a time; bounds the copy to a few megabytes. */
const tokensAtATime = 256;
/** Rows of H per product: only blocks on and under the diagonal are computed. */
const rowsAtATime = 256;

/** Adds the rows of `inputs` [tokens, size]: tokens · size² / 2 multiply-adds. */
export async function addTokens(hessian: Hessian, inputs: Matrix, run: Run = {}): Promise<void> {
  const { multiply = plainMultiply, signal } = run;
  const { size, sums } = hessian;
  if (inputs.columns !== size) {
    throw new LatheError(
      'tensor_mismatch',
      `inputs of a layer with ${size} input channels have: ${inputs.columns}`,
    );
  }
  requireFinite(inputs.data, 'calibration activations');
  const length = Math.min(tokensAtATime, inputs.rows);
  const columns = new Float64Array(size * length);
  for (let first = 0; first < inputs.rows; first += length) {
    await nextTurn(signal);
    const tokens = Math.min(length, inputs.rows - first);
    for (let token = 0; token < tokens; token++) {
      const at = (first + token) * size;
      for (let i = 0; i < size; i++) columns[i * length + token] = inputs.data[at + i];
    }
    const rowsOf = (row: number, rows: number) => ({
      data: columns,
      offset: row * length,
      stride: length,
      rows,
      columns: tokens,
    });
    for (let row = 0; row < size; row += rowsAtATime) {
      const rows = Math.min(rowsAtATime, size - row);
      const target = { data: sums, offset: row * size, stride: size, rows, columns: row + rows };
      await multiply.addProduct(target, 1, rowsOf(row, rows), rowsOf(0, row + rows));
    }
  }
  hessian.tokens += inputs.rows;
}

/** H = (2/n)·Σ x·xᵀ, symmetric, as a new array. All zero when there were no tokens. */
export function hessianMatrix({ size, sums, tokens }: Hessian): Float64Array {
  const result = new Float64Array(size * size);
  const scale = tokens === 0 ? 0 : 2 / tokens;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      result[i * size + j] = result[j * size + i] = scale * sums[i * size + j];
    }
  }
  return result;
}

/** What GPTQ and SparseGPT need of H; layers with the same input share it. */
export interface HessianFactor {
  readonly size: number;
  /** Fᵀ = U, upper triangular, UᵀU = (H + damping)⁻¹, as its transpose F (lower), in `order`. */
  readonly factor: Float64Array;
  /** Original column at each position of `factor`. */
  readonly order: Uint32Array;
  /** 1 for input channels that were always 0, in original order. */
  readonly dead: Uint8Array;
  /** What was added to each diagonal element. */
  readonly damping: number;
}

/** Options of `factorHessian`. */
export interface FactorOptions extends Run {
  /** Share of the mean diagonal that is added to the diagonal; default 0.01. */
  readonly damp?: number;
  /** Most important input channel first ("act-order"); otherwise as they stand. */
  readonly activationOrder?: boolean;
}

/** The damping is raised tenfold this often before giving up. */
const raises = 3;

/**
 * Damped, ordered, inverted and factored H [size, size] (GPTQ, arXiv 2210.17323, steps 2 to 5):
 * dead channels get a diagonal of 1, the whole diagonal `damp` times its mean. Null if H is not
 * positive definite even with damping 1,000 times as large: the caller falls back and says so.
 * `hessian` stays as it is; takes 8·size² bytes.
 */
export async function factorHessian(
  hessian: Float64Array,
  size: number,
  options: FactorOptions = {},
): Promise<HessianFactor | null> {
  const { damp = 0.01, activationOrder = false, ...run } = options;
  if (!(damp >= 0) || damp === Infinity) {
    throw new LatheError('usage', `damping must be a finite number from 0: ${damp}`);
  }
  if (hessian.length !== size * size) {
    throw new LatheError(
      'tensor_mismatch',
      `the Hessian of ${size} inputs needs ${size * size} values: ${hessian.length}`,
    );
  }
  requireFinite(hessian, 'the Hessian');
  const diagonal = Float64Array.from({ length: size }, (_, i) => hessian[i * size + i]);
  const dead = Uint8Array.from(diagonal, (value) => (value === 0 ? 1 : 0));
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  if (activationOrder) order.sort((a, b) => diagonal[b] - diagonal[a] || a - b);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += dead[i] ? 1 : diagonal[i];
  const mean = size === 0 ? 0 : sum / size;
  for (let attempt = 0; attempt <= raises; attempt++) {
    const damping = damp * 10 ** attempt * mean;
    const work = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      const row = order[i] * size;
      for (let j = 0; j <= i; j++) {
        // Symmetric: fill both halves, because the factorisation reads it backwards.
        work[i * size + j] = work[j * size + i] = hessian[row + order[j]];
      }
      work[i * size + i] = (dead[order[i]] ? 1 : diagonal[order[i]]) + damping;
    }
    const factor = await inverseFactorInPlace(work, size, run);
    if (factor !== null && factor.every(Number.isFinite)) {
      return { size, factor, order, dead, damping };
    }
  }
  return null;
}
