import { expect, test } from 'vitest';
import { createCrashTracker } from '../../main/app/crashes.ts';

const minute = 60_000;

/** What the tracker says at each of these times. */
function decide(times: number[]): boolean[] {
  let time = 0;
  const crashes = createCrashTracker(() => time);
  return times.map((crash) => {
    time = crash;
    return crashes.mayRestart();
  });
}

test('the third crash within five minutes stops the restarts', () => {
  expect(decide([0, 2 * minute, 4 * minute])).toEqual([true, true, false]);
});

test('crashes more than five minutes ago count no longer', () => {
  expect(decide([0, 2 * minute, 5 * minute, 7 * minute])).toEqual([true, true, true, true]);
});

test('after a reset two more crashes are forgiven', () => {
  const crashes = createCrashTracker(() => 0);
  const before = [crashes.mayRestart(), crashes.mayRestart(), crashes.mayRestart()];
  crashes.reset();
  const after = [crashes.mayRestart(), crashes.mayRestart(), crashes.mayRestart()];
  expect([before, after]).toEqual([
    [true, true, false],
    [true, true, false],
  ]);
});
