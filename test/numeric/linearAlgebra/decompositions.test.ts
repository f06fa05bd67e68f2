import { describe, expect, test } from 'vitest';
import { symmetricEigen, symmetricEigenvalues } from '../../../main/numeric/linearAlgebra/eigen.ts';
import { transpose, type Matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import { singularValues } from '../../../main/numeric/linearAlgebra/singularValues.ts';
import { distance, randomMatrix } from '../samples.ts';

/** a · diag(weights) · b, the slow way. */
function compose(a: Matrix, weights: Float64Array, b: Matrix): Float64Array {
  const result = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.columns; j++) {
      for (let k = 0; k < weights.length; k++) {
        result[i * b.columns + j] +=
          a.data[i * a.columns + k] * weights[k] * b.data[k * b.columns + j];
      }
    }
  }
  return result;
}

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
}

function isFalling(values: Float64Array): boolean {
  return values.every((value, i) => i === 0 || value <= values[i - 1]);
}

const ones = (n: number) => new Float64Array(n).fill(1);

describe('eigenvalues of a symmetric matrix', () => {
  test.each([1, 2, 3, 17, 80])('of size %i: vectors are orthogonal and compose it', async (n) => {
    const half = randomMatrix(n, n, n);
    const a = Float64Array.from(half.data, (value, i) => value + transpose(half).data[i]);
    const { values, vectors } = await symmetricEigen(a, n);
    expect(distance(compose(transpose(vectors), values, vectors), a)).toBeLessThanOrEqual(1e-13);
    expect(
      distance(compose(vectors, ones(n), transpose(vectors)), identity(n)),
    ).toBeLessThanOrEqual(1e-13);
    expect(isFalling(values)).toBe(true);
  });

  test('equal and zero eigenvalues are found', async () => {
    const diagonal = [3, 0, 3, 0, 0, -1];
    const a = new Float64Array(36);
    diagonal.forEach((value, i) => (a[i * 7] = value));
    expect([...(await symmetricEigen(a, 6)).values]).toEqual([3, 3, 0, 0, 0, -1]);
    expect([...(await symmetricEigen(new Float64Array(9), 3)).values]).toEqual([0, 0, 0]);
  });

  test.each([1, 2, 3, 4])('of a product of low rank are found: seed %i', async (seed) => {
    const [n, rank] = [128, 54];
    const factor = randomMatrix(seed, n, rank);
    const gram = compose(factor, ones(rank), transpose(factor));
    const { values, vectors } = await symmetricEigen(gram, n);
    expect(distance(compose(transpose(vectors), values, vectors), gram)).toBeLessThanOrEqual(1e-13);
    const most = values[0] * 1e-13;
    expect(values.slice(rank).every((value) => Math.abs(value) <= most)).toBe(true);
    expect(values[rank - 1]).toBeGreaterThan(most);
    const alone = await symmetricEigenvalues(gram, n);
    expect(distance(alone, values)).toBeLessThanOrEqual(1e-13);
  });
});

describe('singular values', () => {
  test.each([
    [1, 1],
    [1, 7],
    [7, 1],
    [12, 30],
    [30, 12],
    [40, 40],
  ])('of %i × %i: factors are orthogonal and compose it', async (rows, columns) => {
    const a = randomMatrix(rows + columns, rows, columns);
    const { left, values, right } = await singularValues(a);
    const rank = Math.min(rows, columns);
    expect(distance(compose(left, values, right), a.data)).toBeLessThanOrEqual(1e-13);
    expect(
      distance(compose(transpose(left), ones(rows), left), identity(rank)),
    ).toBeLessThanOrEqual(1e-12);
    expect(
      distance(compose(right, ones(columns), transpose(right)), identity(rank)),
    ).toBeLessThanOrEqual(1e-12);
    expect(isFalling(values)).toBe(true);
  });

  test('small values keep their digits where squaring the matrix would lose them', async () => {
    const data = Float64Array.of(1, 1, 1, 1e-9, 0, 0, 0, 1e-9, 0);
    const { values } = await singularValues({ rows: 3, columns: 3, data });
    // The product of all singular values is |det| = 1e-18 · 1.
    expect(values[0] * values[1] * values[2]).toBeCloseTo(1e-18, 27);
    expect(values[2]).toBeGreaterThan(5e-10);
  });

  test('a matrix of lower rank, and one of zeros, compose', async () => {
    const low = { rows: 3, columns: 4, data: Float64Array.of(1, 2, 3, 4, 2, 4, 6, 8, 0, 0, 0, 0) };
    const { left, values, right } = await singularValues(low);
    expect(distance(compose(left, values, right), low.data)).toBeLessThanOrEqual(1e-13);
    expect(values[1]).toBeLessThan(1e-14);
    const none = await singularValues({ rows: 2, columns: 3, data: new Float64Array(6) });
    expect([...none.values, ...none.right.data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
