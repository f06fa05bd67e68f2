import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Captured } from '../../main/capture/captured.ts';
import { sheetOf } from '../../main/capture/sheet.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';
import { openModel, type TestSubject } from './open.ts';

const ids = Array.from({ length: 150 }, (_, at) => (at * 7 + (at % 11) * 3) % 40);
let subject: TestSubject;
let captured: Captured;
beforeAll(async () => {
  subject = await openModel(tinyDecoder({ keyValueHeads: 2, contextLength: 150 }).model, 150);
  captured = await subject.capturer.capture(ids);
});
afterAll(() => subject.close());

test.each([
  [150, 1],
  [200, 1],
  [75, 2],
  [48, 4],
])('at %i cells a side at most, each holds the largest of %i × as many', async (most, cell) => {
  const { patterns } = subject.capturer;
  const { size, data } = await sheetOf(captured, patterns, most);
  expect(size).toBe(Math.ceil(150 / cell));
  expect(size).toBeLessThanOrEqual(most);
  expect(data).toHaveLength(8 * size * size);
  for (const [at, [layer, head]] of [
    [0, 0],
    [0, 3],
    [1, 2],
  ].map((one) => [4 * one[0] + one[1], one] as const)) {
    const whole = await patterns.square(captured, layer, head);
    const pooled = new Float32Array(size * size);
    whole.forEach((value, place) => {
      const [row, key] = [Math.floor(place / 150), place % 150];
      const target = Math.floor(row / cell) * size + Math.floor(key / cell);
      pooled[target] = Math.max(pooled[target], value);
    });
    expect(data.slice(at * size * size, (at + 1) * size * size)).toEqual(pooled);
  }
});

test('the mean of a layer is the mean of its heads', async () => {
  const { patterns } = subject.capturer;
  const mean = await patterns.square(captured, 1, 'mean');
  const heads = await Promise.all([0, 1, 2, 3].map((head) => patterns.square(captured, 1, head)));
  mean.forEach((value, at) => {
    const wanted = heads.reduce((sum, head) => sum + head[at], 0) / 4;
    expect(Math.abs(value - wanted)).toBeLessThan(1e-6);
  });
});

test('some rows and heads alone are those of the whole', async () => {
  const { patterns } = subject.capturer;
  const whole = await patterns.square(captured, 0, 1);
  const seen: number[] = [];
  const options = { heads: [1, 3], rows: [130, 149] } as const;
  await patterns.each(
    captured,
    0,
    ({ first, rows, keys, data, heads }) => {
      seen.push(first, rows, heads);
      for (let row = 0; row < rows; row++) {
        const start = (first + row) * 150;
        const part = data.subarray(row * keys, (row + 1) * keys);
        part.forEach((value, key) =>
          expect(Math.abs(value - whole[start + key])).toBeLessThan(1e-6),
        );
      }
    },
    options,
  );
  expect(seen).toEqual([130, 19, 2]);
});
