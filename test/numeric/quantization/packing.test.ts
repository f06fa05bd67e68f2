import { describe, expect, test } from 'vitest';
import {
  packBlocks,
  packCodes,
  packedBits,
  type PackedBits,
  packGather,
  packQdq,
  unpackCodes,
} from '../../../main/numeric/quantization/packing.ts';
import {
  dequantize,
  type Quantized,
  splitGroups,
  zeroPointOf,
} from '../../../main/numeric/quantization/quantized.ts';
import { quantizeRtn } from '../../../main/numeric/quantization/rtn.ts';
import { randomMatrix } from '../samples.ts';

/** Codes 0, 1, 2 … of 2 rows, with zero points that differ. */
function counting(bits: number, columns: number, groupSize: number): Quantized {
  const groups = 2 * Math.ceil(columns / groupSize);
  return {
    rows: 2,
    columns,
    bits,
    groupSize,
    codes: Uint8Array.from({ length: 2 * columns }, (_, i) => i % 2 ** bits),
    scales: Float32Array.from({ length: groups }, (_, i) => i + 1),
    zeroPoints: {
      kind: 'integer',
      values: Uint8Array.from({ length: groups }, (_, i) => (i + 1) % 2 ** bits),
    },
  };
}

const pack = (bits: PackedBits, codes: number[]) => [
  ...packCodes(codes.length, bits, (i) => codes[i]),
];

test('codes are packed lowest bits first', () => {
  expect(pack(2, [3, 0, 1, 2, 1])).toEqual([0b10_01_00_11, 1]);
  expect(pack(4, [0xd, 0x0, 0x9])).toEqual([0x0d, 0x09]);
  expect(pack(8, [200, 3])).toEqual([200, 3]);
});

test.each<PackedBits>([2, 4, 8])('unpacking %i bits gives the codes back', (bits) => {
  const codes = Uint8Array.from({ length: 37 }, (_, i) => (i * 7) % 2 ** bits);
  expect(
    unpackCodes(
      packCodes(37, bits, (i) => codes[i]),
      37,
      bits,
    ),
  ).toEqual(codes);
});

test('codes of odd widths take the next packing', () => {
  expect([2, 3, 4, 5, 6, 7, 8].map(packedBits)).toEqual([2, 4, 4, 8, 8, 8, 8]);
});

describe('blocks of MatMulNBits', () => {
  test('each row of zero points is padded to a byte of its own', () => {
    // 3 blocks of 4 bits are 12 bits: two bytes a row, the second half empty.
    expect([...packBlocks(counting(4, 48, 16)).zeroPoints!]).toEqual([0x21, 0x03, 0x54, 0x06]);
    // 3 blocks of 2 bits are 6 bits: one byte a row.
    expect([...packBlocks(counting(2, 48, 16)).zeroPoints!]).toEqual([0b11_10_01, 0b10_01_00]);
    expect([...packBlocks(counting(8, 32, 16)).zeroPoints!]).toEqual([1, 2, 3, 4]);
  });

  test('the tail of the last block is filled with its zero point', () => {
    const { codes, blocks } = packBlocks(counting(4, 20, 16));
    expect(blocks).toBe(2);
    expect([...codes.subarray(8, 16)]).toEqual([0x10, 0x32, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22]);
  });

  test('a group wider than the row becomes one padded block', () => {
    const quantized = quantizeRtn(randomMatrix(1, 2, 10), {
      bits: 4,
      groupSize: 32,
      grid: 'ort-asymmetric',
    });
    const packed = packBlocks(quantized);
    expect([packed.blocks, packed.codes.length]).toEqual([1, 32]);
  });

  test('trivial zero points are left out, those of 3 bits in 4 are not', () => {
    const [two, three, four, eight] = [2, 3, 4, 8].map(
      (bits) =>
        packBlocks(
          quantizeRtn(randomMatrix(1, 2, 32), { bits, groupSize: 16, grid: 'ort-symmetric' }),
        ).zeroPoints,
    );
    expect([two, four, eight]).toEqual([null, null, null]);
    expect([...three!]).toEqual([0x44, 0x44]);
  });

  test.each([8, 24, 512])('blocks of %i are refused', (size) => {
    expect(() => packBlocks(counting(4, 2 * size, size))).toThrow(
      `block size must be a power of two from 16 to 256: ${size}`,
    );
  });

  test('float zero points in 8 bits are refused', () => {
    const zeroPoints = { kind: 'float', values: new Float32Array(4) } as const;
    expect(() => packBlocks({ ...counting(8, 32, 16), zeroPoints })).toThrow(
      'float zero points work with 2 and 4 bits only: 8',
    );
  });
});

test('4-bit codes take half a byte each, in every layout', () => {
  const quantized = quantizeRtn(randomMatrix(1, 6, 64), {
    bits: 4,
    groupSize: 32,
    grid: 'ort-asymmetric',
  });
  const sizes = [packBlocks(quantized), packQdq(quantized, false), packGather(quantized, false)];
  expect(sizes.map(({ codes }) => codes.length)).toEqual([192, 192, 192]);
});

describe('groups split into smaller ones', () => {
  test.each(['ort-symmetric', 'ort-asymmetric'] as const)(
    'stand for the same weight (%s)',
    (grid) => {
      const weight = randomMatrix(1, 3, 100);
      for (const groupSize of [64, Infinity]) {
        const quantized = quantizeRtn(weight, { bits: 4, groupSize, grid });
        expect(dequantize(splitGroups(quantized, 32))).toEqual(dequantize(quantized));
      }
    },
  );

  test('that do not divide them are refused', () => {
    expect(() => splitGroups(counting(4, 48, 16), 12)).toThrow(
      'groups of 16 cannot be split into groups of: 12',
    );
  });
});

describe('QDQ', () => {
  const quantized = counting(4, 3, 2);
  // Rows 0 1 2 and 3 4 5, groups of 2: scales 1 2 and 3 4, zero points the same.

  test('is transposed, two to a byte with the low half first, over row ends', () => {
    const { dataType, codes, scales, zeroPoints } = packQdq(quantized, false);
    expect(dataType).toBe('uint4');
    expect([...codes]).toEqual([0x30, 0x41, 0x52]);
    expect([...scales]).toEqual([1, 3, 2, 4]);
    expect([...zeroPoints]).toEqual([0x31, 0x42]);
  });

  test('signed codes are shifted by half the range, in two’s complement', () => {
    const { dataType, codes } = packQdq(quantized, true);
    expect(dataType).toBe('int4');
    expect([...codes]).toEqual([0xb8, 0xc9, 0xda]);
    expect([...packQdq(counting(8, 1, 1), true).codes]).toEqual([0x80, 0x81]);
  });

  test('an odd count ends in half a byte of zeros', () => {
    const odd = { ...quantized, rows: 1, codes: Uint8Array.of(1, 2, 3) };
    expect([...packQdq(odd, false).codes]).toEqual([0x21, 0x03]);
  });

  test('float zero points are refused', () => {
    const zeroPoints = { kind: 'float', values: new Float32Array(4) } as const;
    expect(() => packQdq({ ...quantized, zeroPoints }, false)).toThrow('whole zero points');
  });
});

test('tables of GatherBlockQuantized are packed along their rows and always hold zero points', () => {
  const table = quantizeRtn(randomMatrix(1, 2, 32), {
    bits: 4,
    groupSize: 16,
    grid: 'ort-symmetric',
  });
  const { codes, zeroPoints } = packGather(table, false);
  expect(unpackCodes(codes, 64, 4)).toEqual(table.codes);
  expect([...zeroPoints]).toEqual([0x88, 0x88]);
  expect([...packGather(table, true).zeroPoints]).toEqual([0, 0]);
  expect(zeroPointOf(table, 0)).toBe(8);
  expect(() => packGather({ ...table, bits: 8 }, false)).toThrow('bits: 8');
});
