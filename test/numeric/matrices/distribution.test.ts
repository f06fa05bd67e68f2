import { describe, expect, test } from 'vitest';
import { matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import {
  histogram,
  largestMagnitude,
  moments,
  outlierColumns,
} from '../../../main/numeric/matrices/distribution.ts';
import { createRandom } from '../../../main/numeric/random.ts';

describe('a histogram', () => {
  test('counts every value once, 0 in the middle and both ends inside', () => {
    const values = [-2, -1.21, -0.41, -0.39, 0, 0.39, 0.41, 1.19, 1.21, 2];
    expect(histogram(values, 2, 5)).toEqual({ from: -2, to: 2, counts: [2, 1, 3, 2, 2] });
  });

  test('of zeros alone has them in the middle', () => {
    expect(histogram([0, 0, 0], 0, 3)).toEqual({ from: -0, to: 0, counts: [0, 3, 0] });
  });
});

test('moments are those of float64 sums', () => {
  const random = createRandom(5);
  const values = Float32Array.from({ length: 999 }, () => random.next() * 4 + 1000);
  values[3] = 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const found = moments(values);
  expect(found.zeros).toBe(1);
  expect(found.mean).toBeCloseTo(mean, 9);
  expect(found.deviation).toBeCloseTo(Math.sqrt(variance), 9);
  expect(moments([])).toEqual({ mean: 0, deviation: 0, zeros: 0 });
  expect(largestMagnitude([-3, 2])).toBe(3);
});

describe('outlier columns', () => {
  const random = createRandom(2);
  const [rows, columns] = [6, 100];
  const data = Float32Array.from({ length: rows * columns }, () => random.next() - 0.5);

  test('are those that stand out, the largest first', () => {
    const values = data.slice();
    values[2 * columns + 70] = -9;
    values[4 * columns + 11] = 8;
    expect(outlierColumns(matrix(rows, columns, values))).toEqual([
      { channel: 70, largest: 9 },
      { channel: 11, largest: 8 },
    ]);
  });

  test('are none where all channels are alike', () => {
    expect(outlierColumns(matrix(rows, columns, data))).toEqual([]);
  });
});
