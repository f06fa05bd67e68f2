import { join } from 'node:path';
import { writeDeepModel } from './deepModel.ts';
import {
  button,
  failure,
  openModel,
  runToEnd,
  setMaxTokens,
  tokens,
  typePrompt,
  writtenText,
} from './playground.ts';
import { expect, report, test } from './shell.ts';

/** A prompt becomes streamed tokens: the same steps in the window and in the browser. */
test('open, type, run, branch, reopen', async ({ shell: { page } }) => {
  await test.step('type a prompt and run it to its end', async () => {
    await typePrompt(page, 'The little fox');
    await setMaxTokens(page, 40);
    await runToEnd(page);
    await expect(tokens(page)).not.toHaveCount(0);
  });
  const first = await writtenText(page);

  await test.step('click a token, see its alternatives, branch at one of them', async () => {
    await tokens(page).nth(3).click();
    const alternatives = page.getByRole('dialog', { name: /^Alternatives of token/ });
    const branches = alternatives.getByRole('button', { name: 'Branch from here' });
    await expect(branches).not.toHaveCount(1);
    await branches.nth(1).click();
    await expect(alternatives).toBeHidden();
    await expect(button(page, 'Run')).toBeEnabled();
    await expect.poll(() => writtenText(page)).not.toBe(first);
  });
  const branched = await writtenText(page);

  await test.step('both runs are in the history; the first is reopened as it was', async () => {
    const entries = page.getByRole('region', { name: 'History' }).getByRole('listitem');
    await expect(entries).toHaveCount(2);
    await entries.nth(1).getByRole('button').first().click();
    await expect.poll(() => writtenText(page)).toBe(first);
    await entries.nth(0).getByRole('button').first().click();
    await expect.poll(() => writtenText(page)).toBe(branched);
  });

  await test.step('the history outlives the page', async () => {
    await page.reload();
    const entries = page.getByRole('region', { name: 'History' }).getByRole('listitem');
    await expect(entries).toHaveCount(2);
  });
});

test('text grows while it streams, and Stop ends it at once', async ({ shell: { page, home } }) => {
  const folder = join(home, 'deep');
  writeDeepModel(folder, 60);
  await openModel(page, folder, 'deep');
  await setMaxTokens(page, 3000);
  await typePrompt(page, 'Once upon a time');
  await button(page, 'Run').click();

  await expect(tokens(page)).not.toHaveCount(0);
  const early = await tokens(page).count();
  await expect.poll(() => tokens(page).count()).toBeGreaterThan(early);

  await button(page, 'Stop').click();
  await expect(button(page, 'Run')).toBeEnabled();
  const stopped = await tokens(page).count();
  expect(stopped).toBeLessThan(3000);
  await page.waitForTimeout(300);
  expect(await tokens(page).count()).toBe(stopped);
});

test('a killed runner is reported within 3 s, the text stays, Run again works', async ({
  shell,
}) => {
  const { page, home } = shell;
  const folder = join(home, 'deep');
  writeDeepModel(folder, 60);
  await openModel(page, folder, 'deep');
  await setMaxTokens(page, 3000);
  await button(page, 'Run').click();
  await expect.poll(() => tokens(page).count()).toBeGreaterThan(5);

  const running = await shell.runners();
  expect(running).not.toEqual([]);
  const killedAt = performance.now();
  for (const pid of running) process.kill(pid, 'SIGKILL');
  await expect(failure(page)).toBeVisible({ timeout: 3000 });
  report(`killed runner reported after ${(performance.now() - killedAt).toFixed(0)} ms`);
  expect(await tokens(page).count()).toBeGreaterThan(5);

  await failure(page).getByRole('button', { name: 'Run again' }).click();
  await expect(failure(page)).toBeHidden();
  await expect.poll(() => tokens(page).count()).toBeGreaterThan(5);
  await button(page, 'Stop').click();
});

test('nothing stays behind on quit, not even in mid-stream', async ({ shell }) => {
  const { page, home } = shell;
  const folder = join(home, 'deep');
  writeDeepModel(folder, 60);
  await openModel(page, folder, 'deep');
  await setMaxTokens(page, 3000);
  await button(page, 'Run').click();
  await expect(tokens(page)).not.toHaveCount(0);
  expect(await shell.runners()).not.toEqual([]);
  expect(await shell.quit()).toEqual([]);
});
