import type { Page } from '@playwright/test';
import { seriousFindings } from './axe.ts';
import { button, runToEnd, setMaxTokens, view, writtenText } from './playground.ts';
import { expect, test } from './shell.ts';

const jobs = (page: Page) => page.getByRole('region', { name: 'Jobs' });

async function chooseRecipe(page: Page, name: string): Promise<void> {
  await page.getByRole('combobox', { name: 'Choose a recipe' }).click();
  await page.getByRole('option', { name: new RegExp(`^${name}(?![\\w-])`) }).click();
}

/** A recipe becomes a variant that answers: the same steps in the window and in the browser. */
test('choose a recipe, run it, open the variant in the playground', async ({ shell: { page } }) => {
  await test.step('a preset is predicted to make the embedded model smaller', async () => {
    await view(page, 'Compress').click();
    await chooseRecipe(page, 'int4-rtn');
    const estimate = page.getByRole('region', { name: 'Estimate' });
    await expect(estimate.getByText(/× smaller/)).toBeVisible();
  });

  await test.step('it runs to a variant with a report of every layer', async () => {
    await button(page, 'Run recipe').click();
    const row = jobs(page).getByRole('row', { name: /tiny-stories\/int4-rtn/ });
    await expect(row).toContainText('Finished');
    await expect(jobs(page).getByText(/× smaller/)).toBeVisible();
    await jobs(page).getByRole('tab', { name: 'Table' }).click();
    await expect(jobs(page).getByRole('cell', { name: 'blocks.0.attn.qkv' })).toBeVisible();
  });

  await test.step('the library shows it below its parent, and how it was made', async () => {
    await jobs(page).getByRole('button', { name: 'Show in library' }).click();
    await expect(page.getByRole('heading', { name: 'tiny-stories/int4-rtn' })).toBeVisible();
    await page.getByRole('tab', { name: 'Report' }).click();
    await expect(page.getByText('Made from')).toBeVisible();
  });

  await test.step('it answers in the playground', async () => {
    await view(page, 'Compress').click();
    await jobs(page).getByRole('button', { name: 'Open in playground' }).click();
    await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue(
      'tiny-stories/int4-rtn',
    );
    await setMaxTokens(page, 24);
    await runToEnd(page);
    expect((await writtenText(page)).length).toBeGreaterThan(24);
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious where models are cut down, ${colorScheme}`, async ({
    shell: { page },
  }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await view(page, 'Compress').click();
    await chooseRecipe(page, 'int4-rtn');
    await expect(page.getByRole('button', { name: 'blocks.0.attn.qkv' })).toBeVisible();
    const form = await seriousFindings(page);

    await button(page, 'Run recipe').click();
    await expect(jobs(page).getByText(/× smaller/)).toBeVisible();
    const finished = await seriousFindings(page);

    await page.getByRole('radiogroup', { name: 'Show the recipe as' }).getByText('JSON').click();
    await expect(page.locator('.monaco-editor').first()).toBeVisible();
    const text = await seriousFindings(page);

    expect({ form, finished, text }).toEqual({ form: [], finished: [], text: [] });
  });
}
