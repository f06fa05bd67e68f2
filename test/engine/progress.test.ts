import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Progress } from '../../preload/contract/models.ts';
import { progressOf } from '../../main/engine/progress.ts';

async function collect<T>(stream: AsyncGenerator<Progress, T>) {
  const reports: Progress[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done) return { reports, result: next.value };
    reports.push(next.value);
  }
}

test('reports come before the result, with the time still to go', async () => {
  const { reports, result } = await collect(
    progressOf(async (report) => {
      report('copying', 0);
      await sleep(150);
      report('copying', 0.5);
      await sleep(150);
      report('checking', 0);
      return 'done';
    }),
  );
  expect(result).toBe('done');
  expect(reports.map(({ stage }) => stage)).toEqual(['copying', 'copying', 'checking']);
  expect(reports[1]?.fraction).toBe(0.5);
  expect(reports[1]?.remainingMs).toBeGreaterThan(0);
});

test('many reports in a short time are few events', async () => {
  const { reports } = await collect(
    progressOf(async (report) => {
      for (let step = 0; step < 1000; step++) report('copying', step / 1000);
    }),
  );
  expect(reports.length).toBeLessThanOrEqual(2);
});

test('what the work throws is thrown to the reader', async () => {
  await expect(collect(progressOf(() => Promise.reject(new Error('broken'))))).rejects.toThrow(
    'broken',
  );
});
