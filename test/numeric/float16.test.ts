import { describe, expect, test } from 'vitest';
import {
  fromBfloat16Bits,
  fromFloat16Bits,
  toBfloat16Bits,
  toFloat16Bits,
} from '../../main/numeric/float16.ts';
import { createRandom } from '../../main/numeric/random.ts';

const everyPattern = Array.from({ length: 0x10000 }, (_, pattern) => pattern);

/** The platform's own conversion, as a second opinion. */
const view = new DataView(new ArrayBuffer(4)) as DataView & {
  setFloat16(offset: number, value: number): void;
  getFloat16(offset: number): number;
};
function platformBits(value: number): number {
  view.setFloat16(0, value);
  return view.getUint16(0);
}

/** Halves at, just under and just over every boundary between two neighbours. */
function boundaries(): number[] {
  const values: number[] = [];
  for (let half = 0; half < 0x7c00; half += 7) {
    const middle = (fromFloat16Bits(half) + fromFloat16Bits(half + 1)) / 2;
    if (!Number.isFinite(middle)) continue;
    values.push(middle, middle * (1 + 2 ** -23), middle * (1 - 2 ** -23));
  }
  return values;
}

describe('float16', () => {
  test('every one of the 65,536 bit patterns has the value the platform gives it', () => {
    const wrong = everyPattern.filter((half) => {
      view.setUint16(0, half);
      return !Object.is(fromFloat16Bits(half), view.getFloat16(0));
    });
    expect(wrong).toEqual([]);
  });

  test('rounds to the nearest half, ties to even, over the whole range', () => {
    const random = createRandom(1);
    const drawn = Array.from({ length: 20_000 }, () =>
      Math.fround((random.next() - 0.5) * 2 ** (Math.floor(random.next() * 48) - 28)),
    );
    const values = [...boundaries(), ...drawn].flatMap((x) => [Math.fround(x), -Math.fround(x)]);
    expect(values.filter((value) => toFloat16Bits(value) !== platformBits(value))).toEqual([]);
  });

  test('keeps zero signs, infinities and NaN', () => {
    expect([0, -0, Infinity, -Infinity, 65_519, 65_520, -1e9].map(toFloat16Bits)).toEqual([
      0x0000, 0x8000, 0x7c00, 0xfc00, 0x7bff, 0x7c00, 0xfc00,
    ]);
    expect(fromFloat16Bits(toFloat16Bits(NaN))).toBeNaN();
  });
});

describe('bfloat16', () => {
  test('every pattern that is a number survives the way through float32', () => {
    const numbers = everyPattern.filter((half) => !Number.isNaN(fromBfloat16Bits(half)));
    expect(numbers.length).toBe(0x10000 - 2 * 127);
    expect(numbers.filter((half) => toBfloat16Bits(fromBfloat16Bits(half)) !== half)).toEqual([]);
  });

  test('rounds ties to even, overflows to infinity, keeps NaN', () => {
    const ulp = 2 ** -7;
    expect(
      [1 + ulp / 2, 1 + (3 * ulp) / 2, 1 + ulp * 0.51, -(1 + ulp / 2), 3.4e38, NaN].map((value) =>
        fromBfloat16Bits(toBfloat16Bits(value)),
      ),
    ).toEqual([1, 1 + 2 * ulp, 1 + ulp, -1, Infinity, NaN]);
  });
});
