import { expect, test } from 'vitest';
import { matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import { quantizeHqq } from '../../../main/numeric/quantization/hqq.ts';
import { dequantize, zeroPointOf } from '../../../main/numeric/quantization/quantized.ts';
import golden from '../../golden/hqq.json';
import gptq from '../../golden/gptq.json';
import { distance, fromRows, randomMatrix } from '../samples.ts';

test('the golden vectors: codes exactly, scales, zero points, weights and trace closely', () => {
  const { quantized, trace } = quantizeHqq(fromRows(gptq.W), { bits: 4, groupSize: golden.group });
  expect([...quantized.codes]).toEqual(golden.codes.flat());
  expect(distance(quantized.scales, golden.scale)).toBeLessThanOrEqual(1e-6);
  const zeroPoints = Array.from(quantized.scales, (_, i) => zeroPointOf(quantized, i));
  expect(distance(zeroPoints, golden.zp.flat())).toBeLessThanOrEqual(1e-6);
  expect(distance(dequantize(quantized).data, golden.dequant.flat())).toBeLessThanOrEqual(1e-6);
  expect(distance(trace, golden.trace)).toBeLessThanOrEqual(1e-9);
});

test('the mean error falls with every improvement but the last', () => {
  const { trace } = quantizeHqq(randomMatrix(1, 20, 128), { bits: 2, groupSize: 64 });
  const risen = trace.findIndex((error, i) => i > 0 && error >= trace[i - 1]);
  expect([-1, trace.length - 1]).toContain(risen);
  expect(Math.min(...trace)).toBeLessThan(trace[0]);
});

test.each([
  ['zeros', () => 0],
  ['one constant', () => 0.75],
  ['an outlier of 1e4', (i: number) => (i === 5 ? 1e4 : Math.sin(i))],
])('weights that are %s give finite values', (_name, value) => {
  const data = Float32Array.from({ length: 40 }, (_, i) => value(i));
  const { quantized } = quantizeHqq(matrix(2, 20, data), { bits: 4, groupSize: 16 });
  expect(dequantize(quantized).data.every(Number.isFinite)).toBe(true);
});

test('the same weight gives the same bytes', () => {
  const [first, second] = [1, 2].map(() =>
    quantizeHqq(randomMatrix(9, 8, 64), { bits: 4, groupSize: 64 }),
  );
  expect(first).toEqual(second);
});

test.each([NaN, Infinity])('a weight of %d is refused', (value) => {
  const weight = matrix(1, 2, Float32Array.of(1, value));
  expect(() => quantizeHqq(weight, { bits: 4, groupSize: 2 })).toThrow(
    expect.objectContaining({ code: 'values_not_finite' }),
  );
});
