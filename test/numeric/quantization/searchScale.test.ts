import { describe, expect, test } from 'vitest';
import { matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import { dequantize } from '../../../main/numeric/quantization/quantized.ts';
import { quantizeRtn } from '../../../main/numeric/quantization/rtn.ts';
import { searchScale } from '../../../main/numeric/quantization/searchScale.ts';
import { randomMatrix } from '../samples.ts';

const total = (values: number[]) => values.reduce((a, b) => a + b, 0);

describe.each([
  ['symmetric', true, 'ort-symmetric'],
  ['asymmetric', false, 'ort-asymmetric'],
] as const)('%s', (_kind, symmetric, grid) => {
  const importance = Float64Array.from({ length: 96 }, (_, i) => (i % 7 === 0 ? 20 : 1));

  test.each([2, 3, 4, 8])('never worse than round-to-nearest in each group at %i bits', (bits) => {
    const weight = randomMatrix(bits, 10, 96);
    const options = { bits, groupSize: 32 };
    const searched = dequantize(searchScale(weight, { ...options, symmetric, importance })).data;
    const nearest = dequantize(quantizeRtn(weight, { ...options, grid })).data;
    const errors = (values: Float32Array) =>
      Array.from({ length: 30 }, (_, group) => {
        let sum = 0;
        for (let i = group * 32; i < (group + 1) * 32; i++) {
          sum += importance[i % 96] * (values[i] - weight.data[i]) ** 2;
        }
        return sum;
      });
    const before = errors(nearest);
    const after = errors(searched);
    expect(after.every((error, group) => error <= before[group])).toBe(true);
    expect(total(after)).toBeLessThan((bits === 8 ? 1 : 0.97) * total(before));
  });

  test('without importance, large weights count more', () => {
    const weight = randomMatrix(5, 4, 64);
    const error = (values: Float32Array) =>
      values.reduce((sum, value, i) => sum + (weight.data[i] * (value - weight.data[i])) ** 2, 0);
    const options = { bits: 3, groupSize: 32 };
    expect(error(dequantize(searchScale(weight, { ...options, symmetric })).data)).toBeLessThan(
      error(dequantize(quantizeRtn(weight, { ...options, grid })).data),
    );
  });

  test.each([
    ['zeros', () => 0],
    ['one constant', () => -0.75],
    ['an outlier of 1e4', (i: number) => (i === 5 ? 1e4 : Math.sin(i))],
    ['all alike but one', (i: number) => (i === 0 ? 1 : 2)],
  ])('weights that are %s give finite values', (_name, value) => {
    const data = Float32Array.from({ length: 40 }, (_, i) => value(i));
    const found = searchScale(matrix(2, 20, data), { bits: 4, groupSize: 16, symmetric });
    expect(dequantize(found).data.every(Number.isFinite)).toBe(true);
  });

  test('channels of no importance are still within the range', () => {
    const weight = randomMatrix(5, 4, 32);
    const found = searchScale(weight, {
      bits: 4,
      groupSize: 16,
      symmetric,
      importance: new Float32Array(32),
    });
    expect(dequantize(found).data.every(Number.isFinite)).toBe(true);
  });
});

test('importance of another width or not finite is refused', () => {
  const weight = randomMatrix(1, 2, 4);
  const options = { bits: 4, groupSize: 4, symmetric: true };
  expect(() => searchScale(weight, { ...options, importance: new Float32Array(3) })).toThrow(
    expect.objectContaining({ code: 'tensor_mismatch' }),
  );
  expect(() =>
    searchScale(weight, { ...options, importance: Float32Array.of(1, NaN, 1, 1) }),
  ).toThrow(expect.objectContaining({ code: 'values_not_finite' }));
});
