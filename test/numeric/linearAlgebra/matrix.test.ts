import { expect, test } from 'vitest';
import { matrix, requireFinite, transpose } from '../../../main/numeric/linearAlgebra/matrix.ts';
import { randomMatrix } from '../samples.ts';

test('a matrix takes exactly as many values as it has places', () => {
  expect(matrix(2, 3, new Float32Array(6))).toMatchObject({ rows: 2, columns: 3 });
  expect(() => matrix(2, 3, new Float32Array(5))).toThrow('a matrix of 2 × 3 needs 6 values: 5');
});

test('transposing moves rows to columns, beyond the tile too', () => {
  expect([...transpose(matrix(2, 3, Float32Array.of(1, 2, 3, 4, 5, 6))).data]).toEqual([
    1, 4, 2, 5, 3, 6,
  ]);
  const source = randomMatrix(1, 70, 33);
  expect([...transpose(transpose(source)).data]).toEqual([...source.data]);
});

test('values that are not finite are refused with their place, sums that overflow are not', () => {
  requireFinite(Float64Array.of(1e308, 1e308, -1e308), 'weights');
  expect(() => requireFinite(Float32Array.of(1, -Infinity), 'weights', 'up.weight')).toThrow(
    expect.objectContaining({
      code: 'values_not_finite',
      message: 'weights must be finite, at 1: -Infinity',
      data: { value: '-Infinity', tensor: 'up.weight' },
    }),
  );
  // Infinities that cancel each other leave NaN, which is noticed as well.
  expect(() => requireFinite(Float32Array.of(Infinity, -Infinity), 'weights')).toThrow('at 0');
});
