import { describe, expect, test } from 'vitest';
import { matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import { singularValues } from '../../../main/numeric/linearAlgebra/singularValues.ts';
import { spectrum } from '../../../main/numeric/linearAlgebra/spectrum.ts';
import { errorGrid } from '../../../main/numeric/matrices/errorGrid.ts';
import {
  jensenShannon,
  meanCosine,
  meanJensenShannon,
} from '../../../main/numeric/matrices/jensenShannon.ts';
import { nearestRows } from '../../../main/numeric/matrices/nearestRows.ts';
import { randomMatrix } from '../samples.ts';

const floats = (rows: number, columns: number, seed: number) =>
  matrix(rows, columns, Float32Array.from(randomMatrix(seed, rows, columns).data));

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const cosine = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

test.each([
  [1, 1],
  [5, 40],
  [40, 5],
  [33, 33],
  // Read in several slabs.
  [3, 1_500_000],
  [1_500_000, 3],
])('singular values of %i × %i alone are those of the decomposition', async (rows, columns) => {
  const a = randomMatrix(rows + columns, rows, columns);
  const { values } = await singularValues(a);
  const found = await spectrum(a);
  expect(found).toHaveLength(values.length);
  found.forEach((value, i) => expect(value).toBeCloseTo(values[i], 8));
});

describe('an error grid', () => {
  test('holds the root mean square of each cell', () => {
    const a = matrix(3, 4, Float32Array.of(1, 1, 0, 0, 0, 0, 0, 0, 5, 5, 0, 2));
    const b = matrix(3, 4, Float32Array.of(0, 3, 0, 0, 0, 0, 0, 4, 5, 5, 0, 0));
    const { gridRows, gridColumns, grid } = errorGrid(a, b, 2);
    expect([gridRows, gridColumns]).toEqual([2, 2]);
    const expected = [Math.sqrt(5 / 4), Math.sqrt(16 / 4), 0, Math.sqrt(4 / 2)];
    expected.forEach((value, i) => expect(grid[i]).toBeCloseTo(value, 6));
  });

  test('of a matrix that is smaller has a cell for each element', () => {
    const [a, b] = [floats(3, 2, 1), floats(3, 2, 2)];
    const { grid } = errorGrid(a, b, 64);
    a.data.forEach((value, i) => expect(grid[i]).toBeCloseTo(Math.abs(value - b.data[i]), 6));
  });
});

describe('nearest rows', () => {
  const table = floats(50, 8, 3);

  test('are ordered by cosine as float64 says, without the row itself', async () => {
    const row = (at: number) => Array.from(table.data.subarray(at * 8, at * 8 + 8));
    const expected = Array.from({ length: 50 }, (_, other) => ({
      row: other,
      cosine: cosine(row(7), row(other)),
    }))
      .filter(({ row: other }) => other !== 7)
      .toSorted((a, b) => b.cosine - a.cosine)
      .slice(0, 5);
    const found = await nearestRows(table, 7, 5);
    expect(found.map((one) => one.row)).toEqual(expected.map((one) => one.row));
    found.forEach((one, i) => expect(one.cosine).toBeCloseTo(expected[i].cosine, 12));
  });

  test('leave out rows of zeros, and there are none of such a row', async () => {
    const values = table.data.slice();
    values.fill(0, 16, 24);
    const zeros = matrix(50, 8, values);
    expect((await nearestRows(zeros, 7, 50)).map(({ row }) => row)).not.toContain(2);
    await expect(nearestRows(zeros, 2, 5)).rejects.toMatchObject({ code: 'usage' });
  });

  test('stop when cancelled', async () => {
    await expect(nearestRows(table, 0, 5, AbortSignal.abort())).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

describe('Jensen-Shannon divergence', () => {
  test('is 0 of equals, 1 bit of distributions apart, and symmetric', () => {
    expect(jensenShannon([0.2, 0.8], [0.2, 0.8])).toBe(0);
    expect(jensenShannon([1, 0], [0, 1])).toBe(1);
    // By hand: ½·(log₂(4/3) + ½·log₂(2/3) + ½·log₂ 2).
    const expected = (Math.log2(4 / 3) + 0.5 * Math.log2(2 / 3) + 0.5) / 2;
    expect(jensenShannon([1, 0], [0.5, 0.5])).toBeCloseTo(expected, 12);
    expect(jensenShannon([0.5, 0.5], [1, 0])).toBeCloseTo(expected, 12);
  });

  test('takes what is lacking of 1 for one more place', () => {
    expect(jensenShannon([0.5], [0.875])).toBe(jensenShannon([0.5, 0.5], [0.875, 0.125]));
    expect(jensenShannon([0, 0], [1, 0])).toBe(1);
  });

  test('of patterns is the mean of their rows', () => {
    const [p, q] = [Float32Array.of(1, 0, 0.5, 0.5), Float32Array.of(0, 1, 0.5, 0.5)];
    expect(meanJensenShannon(p, q, 2)).toBe(0.5);
  });
});

test('mean cosine is 1 for rows of one direction, whatever their length', () => {
  const a = Float32Array.of(1, 2, 3, 4, 0, 0);
  expect(meanCosine(a, Float32Array.of(2, 4, 6, 8, 0, 0), 2)).toBeCloseTo(1, 12);
  expect(meanCosine(a, Float32Array.of(-2, 1, 6, 8, 0, 1), 2)).toBeCloseTo(1 / 3, 12);
});
