import { join } from 'node:path';
import { writeDeepModel } from './deepModel.ts';
import { traceTasks } from './mainThread.ts';
import { button, openModel, setMaxTokens, tokens } from './playground.ts';
import { expect, report, test } from './shell.ts';

/** A task on the main thread of this length drops frames that a person sees. */
const longestTaskMs = 50;

/**
 * The limit holds for what a task works, not for how long the clock says it took: on a machine
 * that does other things as well, the clock also counts the time the task had to wait for a core.
 */
test('no task of the page works longer than 50 ms while tokens stream', async ({ shell }) => {
  const { page, home } = shell;
  const folder = join(home, 'deep');
  writeDeepModel(folder, 40);
  await openModel(page, folder, 'deep');
  await setMaxTokens(page, 4000);
  await button(page, 'Run').click();
  await expect.poll(() => tokens(page).count()).toBeGreaterThan(5);

  const seconds = 3;
  const before = await tokens(page).count();
  const tasks = await traceTasks(page, () => page.waitForTimeout(seconds * 1000));
  const rate = ((await tokens(page).count()) - before) / seconds;
  await button(page, 'Stop').click();

  const worked = Math.max(...tasks.map((task) => task.worked));
  const wall = Math.max(...tasks.map((task) => task.wall));
  report(
    `${rate.toFixed(0)} tokens/s; the longest of ${tasks.length} tasks worked ` +
      `${worked.toFixed(1)} ms, the longest by the clock took ${wall.toFixed(1)} ms`,
  );
  expect(rate).toBeGreaterThan(10);
  expect(tasks.length).toBeGreaterThan(100);
  expect(worked).toBeLessThanOrEqual(longestTaskMs);
});
