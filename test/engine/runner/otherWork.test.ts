import { expect, test } from 'vitest';
import { busyCores } from '../../../main/engine/runner/otherWork.ts';

test('what other processes compute is all that is computed, less the own part', () => {
  const before = { all: 1000, own: 400, wall: 0 };
  expect(busyCores(before, { all: 2500, own: 900, wall: 1000 })).toBe(1);
  // Both are rounded.
  expect(busyCores(before, { all: 1490, own: 900, wall: 1000 })).toBe(0);
  expect(busyCores(before, { all: 1000, own: 900, wall: 1000 })).toBeNull();
});
