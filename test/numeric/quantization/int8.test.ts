import { describe, expect, test } from 'vitest';
import { matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import {
  computeScaleZeroPoint,
  dequantizeChannels,
  dynamicQuantizeLinear,
  integerRanges,
  quantizeBias,
  quantizeChannels,
} from '../../../main/numeric/quantization/int8.ts';
import golden from '../../golden/int8.json';
import { randomMatrix } from '../samples.ts';

test.each(golden.dynamicQuantizeLinear)('DynamicQuantizeLinear of $x', ({ x, y, scale, zp }) => {
  const result = dynamicQuantizeLinear(Float32Array.from(x));
  expect([...result.codes]).toEqual(y);
  expect(result.zeroPoint).toBe(zp);
  expect(result.scale).toBeCloseTo(scale, 10);
});

test.each(golden.computeScaleZp)(
  'scale and zero point of $rmin … $rmax in $qmin … $qmax, symmetric $sym',
  ({ rmin, rmax, qmin, qmax, sym, res }) => {
    const result = computeScaleZeroPoint(rmin, rmax, { low: qmin, high: qmax }, sym);
    expect(result.scale).toBeCloseTo(res[0], 12);
    expect(result.zeroPoint).toBe(res[1]);
  },
);

test('a range that is not finite is refused', () => {
  expect(() => computeScaleZeroPoint(-1, NaN, integerRanges.uint8, false)).toThrow(
    expect.objectContaining({ code: 'values_not_finite' }),
  );
});

describe.each(['uint8', 'int8', 'reduced'] as const)('weights per channel as %s', (range) => {
  test('no weight is off by more than half a step, each row by its own scale', () => {
    const weight = randomMatrix(1, 6, 40);
    for (let i = 0; i < 40; i++) weight.data[i] *= 1000;
    const quantized = quantizeChannels(weight, range);
    dequantizeChannels(quantized).data.forEach((value, i) => {
      const step = quantized.scales[Math.floor(i / 40)];
      // uint8 has no code for the positive extreme: it saturates half a step below.
      expect(Math.abs(value - weight.data[i])).toBeLessThanOrEqual(0.5001 * step);
    });
  });

  test('zeros stay zero, in a row of zeros too', () => {
    const weight = matrix(2, 2, Float32Array.of(0, 0, 0, 3));
    expect([...dequantizeChannels(quantizeChannels(weight, range)).data].slice(0, 3)).toEqual([
      0, 0, 0,
    ]);
  });
});

/** Signed kernels multiply activations 0 … 255 by the codes and add two products. */
const worst = (codes: Int8Array | Uint8Array) => 2 * 255 * Math.max(...codes.map(Math.abs));

test('codes that add up in pairs cannot exceed 16 bits with uint8 or reduced weights', () => {
  const weight = randomMatrix(1, 4, 64);
  expect(worst(quantizeChannels(weight, 'reduced').codes)).toBeLessThan(2 ** 15);
  expect(worst(quantizeChannels(weight, 'int8').codes)).toBeGreaterThan(2 ** 15);
  expect(quantizeChannels(weight, 'uint8')).toMatchObject({ zeroPoint: 128 });
});

test('a bias becomes whole steps of both scales, saturating', () => {
  const bias = quantizeBias(Float32Array.of(1, -0.26, 1e9), 0.1, Float32Array.of(0.5, 0.5, 1e-6));
  expect([...bias]).toEqual([20, -5, 2 ** 31 - 1]);
});
