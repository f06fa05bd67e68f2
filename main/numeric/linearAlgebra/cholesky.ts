import { type MatrixView, nextTurn, plainMultiply, type Run } from './multiply.ts';

/** Columns factored at a time: three such squares of float64 fit the second-level cache. */
const block = 64;

/**
 * Replaces the lower triangle of the symmetric [n, n] matrix `a` by its Cholesky factor L with
 * L·Lᵀ = a; the upper triangle is neither read nor written. False if `a` is not positive definite
 * (or holds NaN); its lower triangle is then spoilt. n³/6 multiply-adds, no further memory.
 */
export async function choleskyInPlace(a: Float64Array, n: number, run: Run = {}): Promise<boolean> {
  const { multiply = plainMultiply, signal } = run;
  for (let start = 0; start < n; start += block) {
    const size = Math.min(block, n - start);
    await nextTurn(signal);
    if (start > 0) {
      const done = view(a, n, start, 0, size, start);
      // All rows from here down at once: one large product for a runtime to work on. It also
      // writes the upper half of the diagonal block, so that half is kept aside.
      const upper = copyBlock(a, n, start, size);
      await multiply.addProduct(
        view(a, n, start, start, n - start, size),
        -1,
        view(a, n, start, 0, n - start, start),
        done,
      );
      restoreUpper(a, n, start, size, upper);
    }
    if (!factorDiagonal(a, n, start, size)) return false;
    solveBelow(a, n, start, size);
  }
  return true;
}

/**
 * Given L in the lower triangle of `a` [n, n], writes the transpose of its inverse over the upper
 * one and the diagonal; the strictly lower triangle keeps L. n³/6 multiply-adds, no further memory.
 */
export async function invertLowerIntoUpper(
  a: Float64Array,
  n: number,
  run: Run = {},
): Promise<void> {
  const { multiply = plainMultiply, signal } = run;
  for (let start = 0; start < n; start += block) {
    const size = Math.min(block, n - start);
    await nextTurn(signal);
    const inverse = invertDiagonal(a, n, start, size);
    if (start > 0) {
      // With M = L⁻¹: Mᵀ[above, here] = -(Mᵀ[above, above] · L[here, above]ᵀ) · M[here, here]ᵀ.
      const sums = new Float64Array(start * size);
      for (let from = 0; from < start; from += block) {
        const width = Math.min(block, start - from);
        const rows = { data: sums, offset: from * size, stride: size, columns: size };
        // The diagonal block of Mᵀ shares its square with L: take the upper half alone.
        await multiply.addProduct(
          { ...rows, rows: width },
          1,
          view(upperOf(a, n, from, width), width, 0, 0, width, width),
          view(a, n, start, from, size, width),
        );
        const right = from + width;
        if (right < start) {
          await multiply.addProduct(
            { ...rows, rows: width },
            1,
            view(a, n, from, right, width, start - right),
            view(a, n, start, right, size, start - right),
          );
        }
      }
      const target = view(a, n, 0, start, start, size);
      for (let i = 0; i < start; i++) a.fill(0, i * n + start, i * n + start + size);
      await multiply.addProduct(
        target,
        -1,
        view(sums, size, 0, 0, start, size),
        view(inverse, size, 0, 0, size, size),
      );
    }
    for (let i = 0; i < size; i++) {
      for (let j = i; j < size; j++) a[(start + i) * n + start + j] = inverse[j * size + i];
    }
  }
}

/** L⁻¹ of the lower triangular L [n, n], as a dense lower triangular copy. */
export async function invertLower(
  lower: Float64Array,
  n: number,
  run: Run = {},
): Promise<Float64Array> {
  const work = lower.slice();
  await invertLowerIntoUpper(work, n, run);
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) result[i * n + j] = work[j * n + i];
  }
  return result;
}

/**
 * The lower triangular F [n, n] with F·Fᵀ = a⁻¹, whose transpose U = Fᵀ is what GPTQ and SparseGPT
 * call the upper Cholesky factor of the inverse; null if `a` is not positive definite. `a` is used
 * up: the result is written over it. n³/3 multiply-adds, no further memory.
 *
 * The inverse itself is never formed: with rows and columns of `a` reversed, its Cholesky factor,
 * read backwards, is the upper triangular R of a = R·Rᵀ, and U = R⁻¹.
 */
export async function inverseFactorInPlace(
  a: Float64Array,
  n: number,
  run: Run = {},
): Promise<Float64Array | null> {
  a.reverse();
  if (!(await choleskyInPlace(a, n, run))) return null;
  await invertLowerIntoUpper(a, n, run);
  a.reverse();
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
  return a;
}

/** a⁻¹ of a symmetric positive definite [n, n] matrix, or null if it is not; `a` stays as it is. */
export async function inverseOfPositiveDefinite(
  a: Float64Array,
  n: number,
  run: Run = {},
): Promise<Float64Array | null> {
  const { multiply = plainMultiply } = run;
  const work = a.slice();
  if (!(await choleskyInPlace(work, n, run))) return null;
  await invertLowerIntoUpper(work, n, run);
  for (let i = 1; i < n; i++) work.fill(0, i * n, i * n + i);
  const result = new Float64Array(n * n);
  const whole = (data: Float64Array) => view(data, n, 0, 0, n, n);
  // a⁻¹ = MᵀM with Mᵀ = `work`, upper triangular.
  await multiply.addProduct(whole(result), 1, whole(work), whole(work));
  return result;
}

function view(
  data: Float64Array,
  stride: number,
  row: number,
  column: number,
  rows: number,
  columns: number,
): MatrixView {
  return { data, offset: row * stride + column, stride, rows, columns };
}

/** Unblocked Cholesky of the diagonal block at `start`. */
function factorDiagonal(a: Float64Array, n: number, start: number, size: number): boolean {
  for (let j = start; j < start + size; j++) {
    let pivot = a[j * n + j];
    for (let k = start; k < j; k++) pivot -= a[j * n + k] ** 2;
    if (!(pivot > 0) || pivot === Infinity) return false;
    const diagonal = Math.sqrt(pivot);
    a[j * n + j] = diagonal;
    for (let i = j + 1; i < start + size; i++) {
      let sum = a[i * n + j];
      for (let k = start; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = sum / diagonal;
    }
  }
  return true;
}

/** Rows below the diagonal block, multiplied by the inverse transpose of its factor. */
function solveBelow(a: Float64Array, n: number, start: number, size: number): void {
  for (let i = start + size; i < n; i++) {
    const row = i * n;
    for (let j = start; j < start + size; j++) {
      let sum = a[row + j];
      for (let k = start; k < j; k++) sum -= a[row + k] * a[j * n + k];
      a[row + j] = sum / a[j * n + j];
    }
  }
}

/** Inverse of the lower triangular block at `start`, dense [size, size]. */
function invertDiagonal(a: Float64Array, n: number, start: number, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= a[(start + i) * n + start + k] * inverse[k * size + j];
      inverse[i * size + j] = sum / a[(start + i) * n + start + i];
    }
  }
  return inverse;
}

function upperOf(a: Float64Array, n: number, start: number, size: number): Float64Array {
  const result = copyBlock(a, n, start, size);
  for (let i = 1; i < size; i++) result.fill(0, i * size, i * size + i);
  return result;
}

function copyBlock(a: Float64Array, n: number, start: number, size: number): Float64Array {
  const result = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const at = (start + i) * n + start;
    result.set(a.subarray(at, at + size), i * size);
  }
  return result;
}

function restoreUpper(
  a: Float64Array,
  n: number,
  start: number,
  size: number,
  kept: Float64Array,
): void {
  for (let i = 0; i < size; i++) {
    const at = (start + i) * n + start;
    a.set(kept.subarray(i * size + i + 1, (i + 1) * size), at + i + 1);
  }
}
