import { describe, expect, test } from 'vitest';
import {
  type CalibrationMethod,
  createRangeObserver,
} from '../../../main/numeric/quantization/calibration.ts';
import { randomMatrix } from '../samples.ts';

function rangeOf(method: CalibrationMethod, ...batches: number[][]) {
  const observer = createRangeObserver(method);
  for (const batch of batches) observer.observe(Float32Array.from(batch));
  return observer.range();
}

const noise = [...randomMatrix(1, 100, 200).data];
const methods: CalibrationMethod[] = [
  { kind: 'min-max' },
  { kind: 'moving-average' },
  { kind: 'percentile' },
  { kind: 'entropy' },
];

test('min-max covers everything seen', () => {
  expect(rangeOf({ kind: 'min-max' }, [1, 2], [-3, 0], [])).toEqual({ least: -3, greatest: 2 });
});

test('the moving average follows new batches slowly', () => {
  const range = rangeOf({ kind: 'moving-average', constant: 0.25 }, [-1, 1], [-5, 9]);
  expect(range).toEqual({ least: -2, greatest: 3 });
});

describe('percentile', () => {
  test('cuts the same share at both ends, to the width of a bin', () => {
    const even = Array.from({ length: 10_000 }, (_, i) => (i - 5000) / 1000);
    const { least, greatest } = rangeOf({ kind: 'percentile', percentile: 90 }, even);
    expect(least).toBeCloseTo(-4.5, 1);
    expect(greatest).toBeCloseTo(4.5, 1);
  });

  test('can end on the other side of zero', () => {
    const { greatest } = rangeOf({ kind: 'percentile', percentile: 50 }, [
      ...Array.from({ length: 90 }, (_, i) => -10 - i),
      1,
      2,
    ]);
    expect(greatest).toBeLessThan(-10);
  });

  test('100 % is min-max', () => {
    expect(rangeOf({ kind: 'percentile', percentile: 100 }, noise)).toEqual(
      rangeOf({ kind: 'min-max' }, noise),
    );
  });

  test('counts stay right when later batches are much larger', () => {
    const split = rangeOf({ kind: 'percentile', percentile: 99 }, [0.001], noise, [100]);
    const together = rangeOf({ kind: 'percentile', percentile: 99 }, [...noise, 0.001, 100]);
    // Bins of 100 / 2,048 and up to twice that.
    expect(Math.abs(split.greatest - together.greatest)).toBeLessThan(0.15);
    expect(together.greatest).toBeLessThan(3.5);
  });
});

describe('entropy', () => {
  test('cuts rare outliers off and keeps the body', () => {
    const { least, greatest } = rangeOf({ kind: 'entropy' }, [...noise, 60, -70]);
    expect(greatest).toBeLessThan(10);
    expect(greatest).toBeGreaterThan(2.5);
    expect(least).toBeGreaterThan(-10);
    expect(least).toBeLessThan(-2.5);
  });

  test('finds a limit between the first and the whole range', () => {
    // 128 bins of 20 / 2,048 end at 1.25, in the middle of the body.
    const { greatest } = rangeOf({ kind: 'entropy' }, [...noise, 20, -20]);
    expect(greatest).toBeGreaterThan(2.5);
    expect(greatest).toBeLessThan(6);
  });

  test('keeps the whole range of evenly spread values', () => {
    const even = Array.from({ length: 40_960 }, (_, i) => i / 40_960);
    expect(rangeOf({ kind: 'entropy' }, even).greatest).toBeGreaterThan(0.95);
  });

  test('leaves a side without values alone', () => {
    expect(rangeOf({ kind: 'entropy' }, noise.map(Math.abs)).least).toBeGreaterThanOrEqual(0);
  });
});

describe.each(methods)('$kind', (method) => {
  test('values that are all zero, or one, give a finite range', () => {
    expect(rangeOf(method, [0, 0])).toEqual({ least: 0, greatest: 0 });
    const { least, greatest } = rangeOf(method, [3]);
    expect(least).toBeLessThanOrEqual(greatest);
    expect(greatest).toBeLessThanOrEqual(3);
    expect(Number.isFinite(least)).toBe(true);
  });

  test('nothing observed, and values that are not finite, are refused', () => {
    expect(() => rangeOf(method)).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(() => rangeOf(method, [NaN])).toThrow(
      expect.objectContaining({ code: 'values_not_finite' }),
    );
  });

  test('the same batches give the same range', () => {
    expect(rangeOf(method, noise)).toEqual(rangeOf(method, noise));
  });
});

test('shares outside 0 … 1 are refused', () => {
  expect(() => createRangeObserver({ kind: 'percentile', percentile: 101 })).toThrow('1.01');
  expect(() => createRangeObserver({ kind: 'moving-average', constant: 0 })).toThrow(': 0');
});
