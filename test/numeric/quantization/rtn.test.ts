import { describe, expect, test } from 'vitest';
import { matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import { type GridName } from '../../../main/numeric/quantization/grid.ts';
import { packBlocks } from '../../../main/numeric/quantization/packing.ts';
import { dequantize, zeroPointOf } from '../../../main/numeric/quantization/quantized.ts';
import { quantizeRtn } from '../../../main/numeric/quantization/rtn.ts';
import { weightError } from '../../../main/numeric/quantization/errors.ts';
import golden from '../../golden/rtn.json';
import { distance, fromRows, randomMatrix } from '../samples.ts';

const gridNames: GridName[] = [
  'ort-symmetric',
  'ort-asymmetric',
  'gptq-symmetric',
  'gptq-asymmetric',
  'awq',
];

describe.each(Object.entries(golden))('the golden vectors of %s', (name, expected) => {
  const grid = name.startsWith('sym') ? 'ort-symmetric' : 'ort-asymmetric';
  const bits = Number(name.split('_')[1]);
  const quantized = quantizeRtn(fromRows(expected.W), { bits, groupSize: expected.block, grid });

  test('packed codes and zero points are exactly theirs', () => {
    const packed = packBlocks(quantized);
    expect([...packed.codes]).toEqual(expected.packedB.flat(2));
    const middle = packBlocks({
      ...quantized,
      zeroPoints: {
        kind: 'integer',
        values: Uint8Array.from(quantized.scales, (_, i) => zeroPointOf(quantized, i)),
      },
    });
    expect([...(middle.zeroPoints ?? [])]).toEqual(expected.packedZp.flat());
  });

  test('scales and weights are theirs', () => {
    expect(distance(quantized.scales, expected.scale.flat())).toBeLessThanOrEqual(1e-6);
    expect(distance(dequantize(quantized).data, expected.dequant.flat())).toBeLessThanOrEqual(1e-6);
  });
});

describe('the worked example', () => {
  const w = [0.9, -1.6, 0.1, 0, 0.35, -0.3, 1.2, -0.8, 0.05, -0.05, 0.5, -0.5, 0.7, -0.7, 1.5, -1];
  const pack = (grid: GridName, bits: number) => {
    const quantized = quantizeRtn(fromRows([w]), { bits, groupSize: 16, grid });
    const bytes = [...packBlocks(quantized).codes];
    return {
      scale: quantized.scales[0],
      zeroPoint: zeroPointOf(quantized, 0),
      bytes: bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(' '),
    };
  };

  test('gives the bytes written in the reference', () => {
    expect(pack('ort-symmetric', 4)).toEqual({
      scale: Math.fround(0.2),
      zeroPoint: 8,
      bytes: '0D 89 7A 4E 88 6B 5C 3F',
    });
    expect(pack('ort-asymmetric', 4)).toEqual({
      scale: expect.closeTo(0.206667, 6),
      zeroPoint: 8,
      bytes: '0C 88 7A 4E 88 6A 5B 3F',
    });
    expect(pack('ort-symmetric', 2)).toEqual({
      scale: Math.fround(0.8),
      zeroPoint: 2,
      bytes: 'A3 7A 7A 77',
    });
  });
});

test('the value of largest magnitude becomes code 0 exactly; of equal ones the negative', () => {
  const options = { bits: 4, groupSize: 4, grid: 'ort-symmetric' } as const;
  const weight = fromRows([
    [1, -2, 0.5, 2],
    [1, 3, 0.5, -2],
  ]);
  expect([...quantizeRtn(weight, options).codes]).toEqual([12, 0, 10, 15, 5, 0, 7, 13]);
});

test('grids do not mix halves: away from zero here, to even there', () => {
  // One step is 1: the values 0.5 and 2.5 are halves.
  const values = fromRows([[0, 15, 0.5, 2.5]]);
  const codes = (grid: GridName) => [...quantizeRtn(values, { bits: 4, groupSize: 4, grid }).codes];
  expect(codes('ort-asymmetric')).toEqual([0, 15, 1, 3]);
  expect(codes('gptq-asymmetric')).toEqual([0, 15, 0, 2]);
});

test('groups run along the input channels of one row, not across rows', () => {
  const weight = matrix(2, 4, Float32Array.of(1, 1, 100, 100, 10, 10, 1000, 1000));
  const { scales } = quantizeRtn(weight, { bits: 4, groupSize: 2, grid: 'ort-asymmetric' });
  expect(distance(scales, [1 / 15, 100 / 15, 10 / 15, 1000 / 15])).toBeLessThanOrEqual(1e-6);
});

describe.each(gridNames)('with the grid %s', (grid) => {
  test.each([2, 3, 4, 5, 6, 7, 8])('no weight is off by more than its step at %i bits', (bits) => {
    const weight = randomMatrix(bits, 16, 96);
    const quantized = quantizeRtn(weight, { bits, groupSize: 32, grid });
    const values = dequantize(quantized).data;
    const worst = values.map(
      (value, i) =>
        Math.abs(value - weight.data[i]) / Math.abs(quantized.scales[Math.floor(i / 32)]),
    );
    expect(Math.max(...worst)).toBeLessThanOrEqual(1 + 1e-5);
  });

  test.each([
    ['zeros', () => 0],
    ['one constant', () => 0.75],
    ['one negative constant', () => -0.75],
    ['an outlier of 1e4', (i: number) => (i === 5 ? 1e4 : Math.sin(i))],
    ['the smallest floats', (i: number) => (i % 3) * 1e-45],
    ['the largest floats', (i: number) => (i % 2 ? 1 : -1) * 1e38],
  ])('weights that are %s give finite values and codes in range', (_name, value) => {
    const data = Float32Array.from({ length: 40 }, (_, i) => value(i));
    const quantized = quantizeRtn(matrix(2, 20, data), { bits: 4, groupSize: 16, grid });
    expect(Math.max(...quantized.codes)).toBeLessThanOrEqual(15);
    expect(dequantize(quantized).data.every(Number.isFinite)).toBe(true);
  });

  test('a group wider than the row, and one that does not divide it, are finite', () => {
    const weight = randomMatrix(1, 3, 20);
    for (const groupSize of [16, 32, 19, Infinity]) {
      const quantized = quantizeRtn(weight, { bits: 4, groupSize, grid });
      expect(quantized.scales.length).toBe(groupSize < 20 ? 6 : 3);
      expect(dequantize(quantized).data.every(Number.isFinite)).toBe(true);
    }
  });

  test('smaller groups mean less error in at least 95 % of layers', () => {
    let smaller = 0;
    for (let seed = 0; seed < 40; seed++) {
      const weight = randomMatrix(seed, 8, 256);
      const error = (groupSize: number) =>
        weightError(weight.data, dequantize(quantizeRtn(weight, { bits: 4, groupSize, grid })).data)
          .relative;
      if (error(32) < error(64) && error(64) < error(128)) smaller++;
    }
    expect(smaller).toBeGreaterThanOrEqual(38);
  });

  test('the same weight gives the same bytes', () => {
    const [first, second] = [1, 2].map(() =>
      quantizeRtn(randomMatrix(9, 8, 64), { bits: 4, groupSize: 32, grid }),
    );
    expect(first).toEqual(second);
  });

  test.each([NaN, Infinity, -Infinity])('a weight of %d is refused', (value) => {
    const weight = matrix(1, 2, Float32Array.of(1, value));
    expect(() => quantizeRtn(weight, { bits: 4, groupSize: 2, grid })).toThrow(
      expect.objectContaining({ code: 'values_not_finite' }),
    );
  });
});

test.each([
  [1, 32],
  [9, 32],
  [4.5, 32],
  [4, 0],
  [4, 2.5],
])('%d bits in groups of %d are refused', (bits, groupSize) => {
  const weight = randomMatrix(1, 2, 4);
  expect(() => quantizeRtn(weight, { bits, groupSize, grid: 'awq' })).toThrow(
    expect.objectContaining({ code: 'usage' }),
  );
});
