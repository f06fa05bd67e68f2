import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { writeDeepModel } from './deepModel.ts';
import { button, openModel, setMaxTokens, tokens } from './playground.ts';
import { expect, report, test } from './shell.ts';

/** A task on the main thread of this length drops frames that a person sees. */
const longestTaskMs = 50;
/**
 * How often the stream may be watched. A task of our own making is long every time; one that
 * another process of a busy machine stretched is not.
 */
const attempts = 3;

interface Watched extends Window {
  longTasks: number[];
}

/** Starts to note the main thread's long tasks; whatever was noted before is dropped. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const noted: number[] = [];
    (globalThis as unknown as Watched).longTasks = noted;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) noted.push(Math.round(duration));
    }).observe({ type: 'longtask' });
  });
}

test('no task of the page is longer than 50 ms while tokens stream', async ({ shell }) => {
  const { page, home } = shell;
  const folder = join(home, 'deep');
  writeDeepModel(folder, 40);
  await openModel(page, folder, 'deep');
  await setMaxTokens(page, 4000);
  // Loads the model; what comes after is the stream alone.
  await button(page, 'Run').click();
  await expect.poll(() => tokens(page).count()).toBeGreaterThan(20);

  const seen: number[][] = [];
  for (
    let attempt = 0;
    attempt < attempts && !seen.some((tasks) => tasks.length === 0);
    attempt += 1
  ) {
    await watch(page);
    const before = await tokens(page).count();
    await page.waitForTimeout(2000);
    const rate = ((await tokens(page).count()) - before) / 2;
    const tasks = await page.evaluate(() => (globalThis as unknown as Watched).longTasks);
    const long = tasks.filter((duration) => duration > longestTaskMs);
    report(
      `${rate.toFixed(0)} tokens/s: tasks over ${longestTaskMs} ms: ${long.join(', ') || 'none'}`,
    );
    expect(rate).toBeGreaterThan(0);
    seen.push(long);
  }
  expect(seen).toContainEqual([]);
  await button(page, 'Stop').click();
});
