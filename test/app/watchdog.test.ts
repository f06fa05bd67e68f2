import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createWatchdog } from '../../main/app/watchdog.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a process that is silent for fifteen seconds is reported, once', () => {
  const onSilent = vi.fn<() => void>();
  createWatchdog(onSilent);
  vi.advanceTimersByTime(14_900);
  expect(onSilent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect(onSilent).toHaveBeenCalledOnce();
});

test('a sign of life in time starts the count anew', () => {
  const onSilent = vi.fn<() => void>();
  const watchdog = createWatchdog(onSilent);
  for (let beat = 0; beat < 10; beat++) {
    vi.advanceTimersByTime(14_000);
    watchdog.feed();
  }
  expect(onSilent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(15_100);
  expect(onSilent).toHaveBeenCalledOnce();
});

test('a process that has ended is waited for no longer', () => {
  const onSilent = vi.fn<() => void>();
  createWatchdog(onSilent).stop();
  vi.advanceTimersByTime(60_000);
  expect(onSilent).not.toHaveBeenCalled();
});
