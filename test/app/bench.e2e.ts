import type { Page } from '@playwright/test';
import { seriousFindings } from './axe.ts';
import { button, view } from './playground.ts';
import { expect, test } from './shell.ts';

const figures = (page: Page) => page.getByRole('table', { name: 'Figures of the measurements' });

/** Sets a number of the set-up as one does who types it. */
async function setNumber(page: Page, name: string, value: number): Promise<void> {
  const field = page.getByRole('textbox', { name, exact: true });
  await field.fill(String(value));
  await field.blur();
}

/** The speed of the embedded model: the same steps in the window and in the browser. */
test('measure the embedded model, sweeps and operators included', async ({ shell: { page } }) => {
  await test.step('the set-up says what it will give', async () => {
    await view(page, 'Bench').click();
    await setNumber(page, 'Prompt tokens', 32);
    await setNumber(page, 'New tokens', 16);
    await setNumber(page, 'Runs', 2);
    await expect(page.getByText(/2 × 16 = 32 inter-token latencies, enough for P90/)).toBeVisible();
    const stops = page.getByRole('combobox', { name: 'Stops of Prompt lengths', exact: true });
    for (const stop of ['16', '64']) {
      await stops.fill(stop);
      await stops.press('Enter');
    }
    await button(page, 'Take the usual stops of Batch sizes').click();
    await page.getByRole('switch', { name: /Time every operator/ }).check({ force: true });
  });

  await test.step('Ctrl-Enter measures; figures come with their samples, absent ones with a reason', async () => {
    await page.keyboard.press('ControlOrMeta+Enter');
    await expect(figures(page)).toBeVisible({ timeout: 60_000 });
    const cell = (name: string) =>
      figures(page)
        .getByRole('row', { name: new RegExp(`^${name}`) })
        .getByRole('cell');
    await expect(cell('Inter-token latency, P50')).toHaveText(/^[\d.]+ ms32 samples$/);
    await expect(cell('Inter-token latency, P99 ')).toHaveText('needs 1,000 samples, has 32');
    await expect(cell('Decode')).toHaveText(/^[\d,.]+ tok\/s/);
    await expect(cell('Peak memory')).toHaveText(/^[\d.]+ MB/);
    await expect(cell('Weight files')).toHaveText(/^4\.50 MB/);
  });

  await test.step('what was varied is drawn, with the exact value under the pointer', async () => {
    const card = page.getByRole('region', { name: 'First token against context' });
    await card.scrollIntoViewIfNeeded();
    const picture = card.getByRole('img', { name: /^First token/ });
    await expect(picture).toBeVisible();
    const box = await picture.boundingBox();
    if (!box) throw new Error('the picture has no place');
    await page.mouse.move(box.x + 80, box.y + box.height / 2);
    await expect(card.getByText(/^Prompt tokens 16: [\d.]+ ms tiny-stories$/)).toBeVisible();
  });

  await test.step('every block of the model has its operators', async () => {
    await page.getByText('By block', { exact: true }).click();
    const table = page.getByRole('table', { name: 'Times of the operators' });
    for (const block of [0, 1, 2, 3, 4])
      await expect(table.getByRole('cell', { name: `block ${block}`, exact: true })).toBeVisible();
    await expect(table.getByRole('cell', { name: 'outside the blocks' })).toBeVisible();
  });

  await test.step('the next measurement stands beside the first in the history', async () => {
    await button(page, 'Measure').click();
    const history = page.getByRole('region', { name: 'Measurements' });
    await expect(history.getByRole('checkbox')).toHaveCount(2, { timeout: 60_000 });
    await expect(history.getByText('first of its kind')).toBeVisible();
    await history.getByRole('checkbox').last().click();
    await expect(figures(page).getByRole('columnheader')).toHaveCount(3);
  });
});

test('a measurement is cancelled within a second and leaves nothing', async ({
  shell: { page, runners },
}) => {
  await view(page, 'Bench').click();
  await setNumber(page, 'Runs', 1000);
  // The playground counts the tokens of its prompt in a runner of its own.
  const others = await runners();
  await button(page, 'Measure').click();
  const job = page.getByRole('article', { name: 'Measurement of tiny-stories' });
  await expect(job.getByText(/prompt and new tokens/)).toBeVisible();
  expect(await runners()).toHaveLength(others.length + 1);
  const before = performance.now();
  await job.getByRole('button', { name: 'Cancel' }).click();
  await expect(job.getByText('Cancelled; nothing was kept of it.')).toBeVisible();
  expect(performance.now() - before).toBeLessThan(1000);
  expect(await runners()).toEqual(others);
  await expect(page.getByRole('region', { name: 'Measurements' })).toHaveCount(0);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious where speed is measured, ${colorScheme}`, async ({
    shell: { page },
  }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await view(page, 'Bench').click();
    await expect(page.getByText(/how fast a model answers on this machine/)).toBeVisible();
    const empty = await seriousFindings(page);

    await setNumber(page, 'New tokens', 8);
    await page.getByRole('switch', { name: /Time every operator/ }).check({ force: true });
    await button(page, 'Measure').click();
    await expect(figures(page)).toBeVisible({ timeout: 60_000 });
    await expect(page.getByRole('table', { name: 'Times of the operators' })).toBeVisible();
    expect({ empty, measured: await seriousFindings(page) }).toEqual({ empty: [], measured: [] });
  });
}
