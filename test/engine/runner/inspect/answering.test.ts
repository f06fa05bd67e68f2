import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answering } from '../../../../main/engine/runner/inspect/answering.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a long answer says every second that it lives, and comes last', async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const events = answering(() => promise);
  for (let second = 0; second < 3; second++) {
    const next = events.next();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await next).toEqual({ done: false, value: { kind: 'alive' } });
  }
  resolve(7);
  expect(await events.next()).toEqual({ done: false, value: { kind: 'done', result: 7 } });
  expect(await events.next()).toEqual({ done: true, value: undefined });
  expect(vi.getTimerCount()).toBe(0);
});

test('a failure reaches the reader, and leaves no timer', async () => {
  const events = answering(() => Promise.reject(new Error('no answer')));
  await expect(events.next()).rejects.toThrow('no answer');
  expect(vi.getTimerCount()).toBe(0);
});
