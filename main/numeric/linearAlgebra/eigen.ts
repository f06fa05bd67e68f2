import { LatheError } from '../../../preload/contract/errors.ts';
import { type Matrix } from './matrix.ts';
import { nextTurn } from './multiply.ts';

/** Eigenvalues, largest first, and the unit eigenvectors that belong to them, one per row. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Matrix<Float64Array>;
}

/** QL steps per eigenvalue before giving up; two are usual. */
const maxSteps = 60;

/**
 * Eigen-decomposition of the symmetric [n, n] matrix `a` = vectorsᵀ · diag(values) · vectors.
 * Householder reduction to a tridiagonal matrix, then implicit QL with Wilkinson's shift (Golub
 * and Van Loan, Matrix Computations, §8.3); float64, about 4·n³ operations. `a` stays as it is.
 */
export async function symmetricEigen(
  a: Float64Array,
  n: number,
  signal?: AbortSignal,
): Promise<Eigen> {
  const { diagonal, beside, reflections } = await tridiagonalize(a, n, signal);
  const vectors = await turnedBack(reflections, n, signal);
  await diagonalize(diagonal, beside, vectors, n, signal);
  const order = Array.from({ length: n }, (_, i) => i);
  order.sort((i, j) => diagonal[j] - diagonal[i] || i - j);
  const sorted = new Float64Array(n * n);
  order.forEach((from, to) => sorted.set(vectors.subarray(from * n, (from + 1) * n), to * n));
  return {
    values: Float64Array.from(order, (i) => diagonal[i]),
    vectors: { rows: n, columns: n, data: sorted },
  };
}

/** The eigenvalues alone, largest first: a third of the work. `a` stays as it is. */
export async function symmetricEigenvalues(
  a: Float64Array,
  n: number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const { diagonal, beside } = await tridiagonalize(a, n, signal);
  await diagonalize(diagonal, beside, null, n, signal);
  return diagonal.toSorted((x, y) => y - x);
}

/** I - β·v·vᵀ */
interface Reflection {
  readonly v: Float64Array;
  readonly beta: number;
}

/** a = Q·T·Qᵀ with T tridiagonal; gives T and the reflections that make up Q. */
async function tridiagonalize(
  source: Float64Array,
  n: number,
  signal: AbortSignal | undefined,
): Promise<{ diagonal: Float64Array; beside: Float64Array; reflections: Reflection[] }> {
  const a = source.slice();
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const reflections: Reflection[] = [];
  const product = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    if (k % 32 === 0) await nextTurn(signal);
    // Reflect the column below the diagonal onto its first element.
    const v = a.slice(k * n, (k + 1) * n).fill(0, 0, k + 1);
    let tail = 0;
    for (let i = k + 2; i < n; i++) tail += v[i] * v[i];
    diagonal[k] = a[k * n + k];
    beside[k] = v[k + 1];
    let beta = 0;
    if (tail > 0) {
      const norm = Math.sqrt(v[k + 1] ** 2 + tail);
      beside[k] = v[k + 1] > 0 ? -norm : norm;
      v[k + 1] -= beside[k];
      beta = 2 / (v[k + 1] ** 2 + tail);
      reflectBothSides(a, n, k + 1, v, beta, product);
    }
    reflections.push({ v, beta });
  }
  diagonal[n - 1] = a[n * n - 1];
  return { diagonal, beside, reflections };
}

/** Qᵀ, [n, n]. */
async function turnedBack(
  reflections: readonly Reflection[],
  n: number,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let k = n - 2; k >= 0; k--) {
    if (k % 32 === 0) await nextTurn(signal);
    const { v, beta } = reflections[k];
    if (beta === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += vectors[row + j] * v[j];
      sum *= beta;
      for (let j = k + 1; j < n; j++) vectors[row + j] -= sum * v[j];
    }
  }
  return vectors;
}

/** a ← (I - β·v·vᵀ)·a·(I - β·v·vᵀ) on the rows and columns from `first` on. */
function reflectBothSides(
  a: Float64Array,
  n: number,
  first: number,
  v: Float64Array,
  beta: number,
  product: Float64Array,
): void {
  let along = 0;
  for (let i = first; i < n; i++) {
    let sum = 0;
    for (let j = first, at = i * n + first; j < n; j++) sum += a[at++] * v[j];
    product[i] = beta * sum;
    along += product[i] * v[i];
  }
  const half = (beta / 2) * along;
  for (let i = first; i < n; i++) product[i] -= half * v[i];
  for (let i = first; i < n; i++) {
    const x = v[i];
    const y = product[i];
    for (let j = first, at = i * n + first; j < n; j++) a[at++] -= x * product[j] + y * v[j];
  }
}

/**
 * Implicit QL: `diagonal` becomes the eigenvalues, the rows of `vectors`, where they are wanted, the
 * eigenvectors.
 */
async function diagonalize(
  diagonal: Float64Array,
  beside: Float64Array,
  vectors: Float64Array | null,
  n: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const rounding = Number.EPSILON * largestRow(diagonal, beside);
  for (let first = 0; first < n; first++) {
    if (first % 8 === 0) await nextTurn(signal);
    for (let step = 0; ; step++) {
      const last = endOfBlock(diagonal, beside, first, rounding);
      if (last === first) break;
      if (step === maxSteps) {
        throw new LatheError('internal', `the eigenvalues did not converge: ${first} of ${n}`);
      }
      chase(diagonal, beside, vectors, n, first, last);
    }
  }
}

/** The largest sum of magnitudes in a row of the tridiagonal matrix. */
function largestRow(diagonal: Float64Array, beside: Float64Array): number {
  return diagonal.reduce((most, d, i) => Math.max(most, Math.abs(d) + Math.abs(beside[i])), 0);
}

/**
 * The first index from `first` on whose off-diagonal element is negligible: below the rounding of the
 * whole matrix, as in EISPACK's tql2. Beside eigenvalues of 0 nothing else would ever be.
 */
function endOfBlock(
  diagonal: Float64Array,
  beside: Float64Array,
  first: number,
  rounding: number,
): number {
  let last = first;
  while (last < diagonal.length - 1 && Math.abs(beside[last]) > rounding) last++;
  return last;
}

/** One QL step: a shift at the upper end, then rotations from the lower end up. */
function chase(
  diagonal: Float64Array,
  beside: Float64Array,
  vectors: Float64Array | null,
  n: number,
  first: number,
  last: number,
): void {
  const half = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first]);
  const root = Math.hypot(half, 1);
  let bulge = diagonal[last] - diagonal[first] + beside[first] / (half + (half < 0 ? -root : root));
  let sine = 1;
  let cosine = 1;
  let moved = 0;
  for (let i = last - 1; i >= first; i--) {
    const below = sine * beside[i];
    const kept = cosine * beside[i];
    const length = Math.hypot(below, bulge);
    beside[i + 1] = length;
    if (length === 0) {
      // The matrix fell apart: start again with the smaller block.
      diagonal[i + 1] -= moved;
      beside[last] = 0;
      return;
    }
    sine = below / length;
    cosine = bulge / length;
    const centre = diagonal[i + 1] - moved;
    const turn = (diagonal[i] - centre) * sine + 2 * cosine * kept;
    moved = sine * turn;
    diagonal[i + 1] = centre + moved;
    bulge = cosine * turn - kept;
    if (vectors === null) continue;
    const upper = i * n;
    for (let k = upper, l = upper + n; k < upper + n; k++, l++) {
      const x = vectors[k];
      const y = vectors[l];
      vectors[k] = cosine * x - sine * y;
      vectors[l] = sine * x + cosine * y;
    }
  }
  diagonal[first] -= moved;
  beside[first] = bulge;
  beside[last] = 0;
}
