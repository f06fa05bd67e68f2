import type { Locator, Page } from '@playwright/test';
import { seriousFindings } from './axe.ts';
import { button, view } from './playground.ts';
import { expect, test } from './shell.ts';

// Real measurements take their time on a machine that does other things as well.
test.setTimeout(240_000);
const measuredWithin = { timeout: 180_000 };

const dialogOf = (page: Page): Locator => page.getByRole('dialog', { name: 'Measure' });

/** Opens the dialog and asks for little of everything. */
async function askForLittle(page: Page): Promise<Locator> {
  await button(page, 'Measure…').first().click();
  const dialog = dialogOf(page);
  const first = dialog.getByRole('textbox', { name: 'Only the first' });
  await first.fill('8');
  await first.blur();
  await dialog.getByRole('combobox', { name: 'Rarest percentile' }).click();
  await page.getByRole('option', { name: /^P50/ }).click();
  return dialog;
}

/** From a model that nothing is known of to a chart of variants: the same steps in both shells. */
test('measure the embedded model, make variants, and see each become a point', async ({
  shell: { page },
}) => {
  await test.step('what was measured becomes a point', async () => {
    await view(page, 'Compare').click();
    await expect(page.getByText(/Every model becomes a point/)).toBeVisible();
    const dialog = await askForLittle(page);
    await dialog.getByRole('combobox', { name: 'Models' }).click();
    await page.getByRole('option', { name: 'tiny-stories' }).click();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Measure', exact: true }).click();
    await expect(page.getByText('1 of 1 models have both')).toBeVisible(measuredWithin);
    await expect(page.getByRole('img', { name: /^Perplexity against Decode P50/ })).toBeVisible();
  });

  await test.step('recipes make variants, whose points arrive one by one', async () => {
    const dialog = await askForLittle(page);
    await dialog.getByText('Variants of recipes').click();
    await dialog.getByRole('combobox', { name: 'Recipes' }).click();
    await page.getByRole('option', { name: 'int4-rtn', exact: true }).click();
    await page.getByRole('option', { name: 'int8-weights', exact: true }).click();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Make and measure' }).click();
    await expect(page.getByRole('region', { name: 'Measuring' })).toBeVisible();
    await expect(page.getByText('2 of', { exact: false }).first()).toBeVisible(measuredWithin);
    await expect(page.getByText('3 of 3 models have both')).toBeVisible(measuredWithin);
    await expect(page.getByRole('region', { name: 'Measuring' })).toBeHidden(measuredWithin);
  });

  await test.step('the table has values with their intervals and how many they are of', async () => {
    const row = page.getByRole('row', { name: /tiny-stories\/int4-rtn/ });
    await expect(row).toContainText(/[\d.]+\s*(± [\d.]+|−[\d.]+ \+[\d.]+) · n 8/);
    await expect(row).toContainText(/[\d.]+.* · n \d+/);
  });

  await test.step('goals in words are counted', async () => {
    const words = page.getByRole('textbox', { name: 'Goals in words' });
    await words.fill('at most 10 s and size at most 50 % of the base');
    await words.press('Enter');
    await expect(page.getByText('2 of 3 reach them')).toBeVisible();
  });

  await test.step('a text shows where a variant parts from its base', async () => {
    await page.getByRole('checkbox', { name: 'Select tiny-stories/int4-rtn' }).click();
    await page.getByRole('tab', { name: 'Along a text' }).click();
    await button(page, 'Read').click();
    await expect(page.getByRole('table', { name: 'Where they part most' })).toBeVisible(
      measuredWithin,
    );
  });

  await test.step('a point opens in the playground', async () => {
    await page.getByRole('tab', { name: 'Table' }).click();
    await button(page, 'What to do with tiny-stories/int4-rtn').click();
    await page.getByRole('menuitem', { name: 'Open in playground' }).click();
    await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue(
      'tiny-stories/int4-rtn',
    );
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious where models are compared, ${colorScheme}`, async ({
    shell: { page },
  }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await view(page, 'Compare').click();
    await expect(page.getByText(/Every model becomes a point/)).toBeVisible();
    const empty = await seriousFindings(page);

    const dialog = await askForLittle(page);
    await dialog.getByRole('combobox', { name: 'Models' }).click();
    await page.getByRole('option', { name: 'tiny-stories' }).click();
    await page.keyboard.press('Escape');
    const asking = await seriousFindings(page);
    await dialog.getByRole('button', { name: 'Measure', exact: true }).click();
    await expect(page.getByText('1 of 1 models have both')).toBeVisible(measuredWithin);
    const words = page.getByRole('textbox', { name: 'Goals in words' });
    await words.fill('at most 10 ms');
    await words.press('Enter');
    const table = await seriousFindings(page);

    const tabs: Record<string, string[]> = {};
    for (const name of ['Parallel axes', 'Along a text', 'History']) {
      /* oxlint-disable no-await-in-loop -- one tab is shown at a time */
      await page.getByRole('tab', { name }).click();
      await expect(page.getByRole('tabpanel', { name })).toBeVisible();
      tabs[name] = await seriousFindings(page);
      /* oxlint-enable no-await-in-loop */
    }

    expect({ empty, asking, table, ...tabs }).toEqual({
      empty: [],
      asking: [],
      table: [],
      'Parallel axes': [],
      'Along a text': [],
      History: [],
    });
  });
}
