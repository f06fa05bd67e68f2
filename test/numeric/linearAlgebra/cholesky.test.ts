import { describe, expect, test } from 'vitest';
import {
  choleskyInPlace,
  inverseFactorInPlace,
  inverseOfPositiveDefinite,
  invertLower,
} from '../../../main/numeric/linearAlgebra/cholesky.ts';
import {
  addTokens,
  createHessian,
  hessianMatrix,
} from '../../../main/numeric/linearAlgebra/hessian.ts';
import { correlatedInputs, distance } from '../samples.ts';

/** A symmetric positive definite matrix. */
async function positiveDefinite(n: number): Promise<Float64Array> {
  const hessian = createHessian(n);
  await addTokens(hessian, correlatedInputs(n, 2 * n + 5, n));
  return hessianMatrix(hessian);
}

/** a · b, both [n, n], the slow way. */
function times(a: Float64Array, b: Float64Array, n: number, transposeB = false): Float64Array {
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        result[i * n + j] += a[i * n + k] * b[transposeB ? j * n + k : k * n + j];
      }
    }
  }
  return result;
}

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
}

function lowerOf(a: Float64Array, n: number): Float64Array {
  return a.map((value, i) => (i % n > Math.floor(i / n) ? 0 : value));
}

// Sizes around the block of 64 and the tile of 4.
describe.each([1, 3, 63, 64, 65, 131])('of a %i × %i matrix', (n) => {
  test('the Cholesky factor times its transpose is the matrix, the upper half stays', async () => {
    const a = await positiveDefinite(n);
    const factor = a.slice();
    expect(await choleskyInPlace(factor, n)).toBe(true);
    const lower = lowerOf(factor, n);
    expect(distance(times(lower, lower, n, true), a)).toBeLessThanOrEqual(1e-12);
    const upper = (values: Float64Array) => values.filter((_, i) => i % n > Math.floor(i / n));
    expect(upper(factor)).toEqual(upper(a));
  });

  test('the inverse of the lower factor gives the identity', async () => {
    const factor = await positiveDefinite(n);
    await choleskyInPlace(factor, n);
    const lower = lowerOf(factor, n);
    expect(distance(times(await invertLower(lower, n), lower, n), identity(n))).toBeLessThanOrEqual(
      1e-9,
    );
  });

  test('the factor of the inverse, times its transpose, times the matrix, is the identity', async () => {
    const a = await positiveDefinite(n);
    const factor = await inverseFactorInPlace(a.slice(), n);
    expect(factor).not.toBeNull();
    expect(lowerOf(factor!, n)).toEqual(factor);
    expect(
      distance(times(times(factor!, factor!, n, true), a, n), identity(n)),
    ).toBeLessThanOrEqual(1e-9);
  });

  test('the inverse times the matrix is the identity', async () => {
    const a = await positiveDefinite(n);
    const inverse = await inverseOfPositiveDefinite(a, n);
    expect(distance(times(inverse!, a, n), identity(n))).toBeLessThanOrEqual(1e-9);
  });
});

test.each([
  ['indefinite', [1, 2, 2, 1]],
  ['zero', [0, 0, 0, 0]],
  ['holding NaN', [NaN, 0, 0, 1]],
  ['holding infinity', [Infinity, 0, 0, 1]],
])('a matrix that is %s has no factor', async (_, values) => {
  expect(await choleskyInPlace(Float64Array.from(values), 2)).toBe(false);
  expect(await inverseFactorInPlace(Float64Array.from(values), 2)).toBeNull();
  expect(await inverseOfPositiveDefinite(Float64Array.from(values), 2)).toBeNull();
});

test('a cancelled factorisation ends with the error for that', async () => {
  const signal = AbortSignal.abort();
  await expect(choleskyInPlace(identity(4), 4, { signal })).rejects.toMatchObject({
    name: 'LatheError',
    code: 'cancelled',
  });
});
