import { expect, test } from 'vitest';
import { expOfNegative } from '../../main/numeric/exp.ts';
import { createRandom } from '../../main/numeric/random.ts';

test('agrees with Math.exp to 1e-13 wherever that is a normal number', () => {
  const random = createRandom(3);
  let worst = 0;
  for (let round = 0; round < 200_000; round++) {
    const x = -random.next() * 10 ** (4 * random.next() - 1);
    if (x < -708) continue;
    worst = Math.max(worst, Math.abs(expOfNegative(x) / Math.exp(x) - 1));
  }
  expect(worst).toBeLessThan(1e-13);
});

test.each([
  [0, 1],
  [-0, 1],
  [-1e-300, 1],
  [-708.4, 0],
  [-Infinity, 0],
  [Number.NaN, Number.NaN],
])('e^%d is %d', (x, expected) => {
  expect(expOfNegative(x)).toBe(expected);
});
