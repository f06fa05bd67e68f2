import { expect, test } from 'vitest';
import { createRandom } from '../../main/numeric/random.ts';

function draw(seed: number, count: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.next());
}

test('one seed gives one stream, another seed another', () => {
  expect(draw(7, 100)).toEqual(draw(7, 100));
  expect(draw(7, 4)).not.toEqual(draw(8, 4));
  expect(draw(7, 4)).not.toEqual(draw(7 + 2 ** 32, 4));
});

test('stays in [0, 1) and fills 64 cells evenly (chi-squared of 63 degrees below 120)', () => {
  for (const seed of [0, 1, 42, 2 ** 53 - 1]) {
    const cells = Array.from({ length: 64 }, () => 0);
    const values = draw(seed, 64_000);
    expect(values.filter((value) => !(value >= 0 && value < 1))).toEqual([]);
    for (const value of values) cells[Math.floor(value * 64)]++;
    const chiSquared = cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquared).toBeLessThan(120);
  }
});

test('first draws of consecutive seeds are unrelated (correlation below 0.1)', () => {
  const first = Array.from({ length: 2000 }, (_, seed) => draw(seed, 1)[0] - 0.5);
  const product = first.slice(1).reduce((sum, value, i) => sum + value * first[i], 0);
  expect(Math.abs(product / 2000 / (1 / 12))).toBeLessThan(0.1);
});
