import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { seriousFindings } from './axe.ts';
import { button, typePrompt, view } from './playground.ts';
import { expect, test } from './shell.ts';

const jobs = (page: Page) => page.getByRole('region', { name: 'Jobs' });
const tab = (page: Page, name: string) => page.getByRole('tab', { name, exact: true });
const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

/** Makes a variant of the embedded model and opens the two side by side. */
async function makeAndCompare(page: Page): Promise<void> {
  await view(page, 'Compress').click();
  await page.getByRole('combobox', { name: 'Choose a recipe' }).click();
  await page.getByRole('option', { name: /^int4-rtn(?![\w-])/ }).click();
  await button(page, 'Run recipe').click();
  await expect(jobs(page).getByText(/× smaller/)).toBeVisible();
  await jobs(page).getByRole('button', { name: 'Compare with its parent' }).click();
  await expect(page.getByRole('combobox', { name: 'Base' })).toHaveValue('tiny-stories');
  await expect(page.getByRole('combobox', { name: 'Variant' })).toHaveValue(
    'tiny-stories/int4-rtn',
  );
}

/** A variant beside what it was made from: the same steps in the window and in the browser. */
test('compare a variant with its parent, find what is to blame, repair it', async ({
  shell: { page, application },
}) => {
  await makeAndCompare(page);

  await test.step('one text through both: where they part, and what both gave each token', async () => {
    await typePrompt(page, 'The little fox');
    await page.keyboard.press('ControlOrMeta+Enter');
    const tokens = region(page, 'Token by token');
    await expect(tokens.getByText(/^They part at written token \d+ of 32/)).toBeVisible();
    await expect(tokens.locator('[data-mark="divergence"]')).toHaveCount(1);
    const values = tokens.getByRole('status', { name: 'Values of the token' });
    await expect(values).toContainText('written by the base');
    await tokens.getByRole('group', { name: 'Text of both models' }).press('Home');
    await expect(values).toContainText('token 1 of the prompt');
  });

  await test.step('the head that changed most, and another by arrow key', async () => {
    const title = region(page, 'Maps of the head').getByRole('heading', { level: 2 });
    const first = await title.textContent();
    await expect(page.getByText(/^It changed most where/)).toBeVisible();
    await region(page, 'Most changed heads').getByRole('button').nth(1).click();
    await expect(title).not.toHaveText(first ?? '');
    await expect(page.getByText(/^It changed most where/)).toBeVisible();
  });

  if (application === null) {
    await test.step('the report is a page of its own', async () => {
      const started = page.waitForEvent('download');
      await button(page, 'Save report').click();
      const download = await started;
      expect(download.suggestedFilename()).toBe('tiny-stories-tiny-stories-int4-rtn.html');
      const html = readFileSync(await download.path(), 'utf8');
      expect(html).toContain('tiny-stories/int4-rtn');
      expect(html).not.toMatch(/(src|href)="http/);
    });
  }

  await test.step('blame names layers, and its repair opens as a recipe that can be taken back', async () => {
    const blame = region(page, 'What is to blame');
    await button(page, 'Find the layers to blame').click();
    await expect(blame.getByText(/It took \d+ runs/)).toBeVisible({ timeout: 60_000 });
    await expect(blame.getByRole('checkbox', { checked: true })).not.toHaveCount(0);
    await blame.getByText('Float', { exact: true }).click();
    await blame.getByRole('button', { name: 'Make a repaired recipe' }).click();
    await expect(page.getByRole('heading', { name: 'Compress' })).toBeVisible();
    await expect(page.getByRole('combobox', { name: 'Model to compress' })).toHaveValue(
      'tiny-stories',
    );
    const name = page.getByRole('textbox', { name: 'Name', exact: true });
    await expect(name).toHaveValue('int4-rtn-repaired');
    await button(page, 'Undo').click();
    await expect(name).toHaveValue('int4-rtn');
  });
});

test('attribute, cut, read and weigh the embedded model', async ({ shell: { page } }) => {
  await view(page, 'Inspect').click();

  await test.step('what each word does to the next token', async () => {
    await tab(page, 'Attribution').click();
    await typePrompt(page, 'Tom had a red ball. He liked to');
    await page.keyboard.press('ControlOrMeta+Enter');
    await expect(page.getByText(/^The token explained is/)).toContainText(/It took \d+ runs/);
    await page.getByRole('combobox', { name: 'Token to explain' }).click();
    await page.getByRole('option', { name: '%' }).nth(1).click();
    await button(page, 'Attribute').click();
    await expect(page.getByRole('img', { name: 'Parts of the prompt by effect' })).toBeVisible();
  });

  await test.step('how a text is cut, and what surprised the model', async () => {
    await tab(page, 'Tokenizer').click();
    await page.getByRole('textbox', { name: 'Text to cut' }).fill('Tom had a naïve 🙂 ball.');
    // The first byte of the smile.
    await expect(region(page, 'Tokens').getByText(/^f0( |$)/)).toBeVisible();
    await button(page, 'Read the text').click();
    await expect(page.getByText(/^means over \d+ tokens/)).toBeVisible();
  });

  await test.step('a matrix in figures, and the tokens nearest to one', async () => {
    await tab(page, 'Weights').click();
    await page.getByRole('button', { name: /^blocks\.3\.mlp\.down/ }).click();
    await expect(page.getByRole('heading', { name: 'blocks.3.mlp.down' })).toBeVisible();
    await expect(page.getByRole('img', { name: /^Singular values of/ })).toBeVisible();
    await expect(page.getByText(/^Tokens whose embeddings point/)).toBeVisible();
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious where two models are compared, ${colorScheme}`, async ({
    shell: { page },
  }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await makeAndCompare(page);
    await typePrompt(page, 'The little fox');
    await page.keyboard.press('ControlOrMeta+Enter');
    await button(page, 'Find the layers to blame').click();
    await expect(page.getByText(/It took \d+ runs/)).toBeVisible({ timeout: 60_000 });
    const difference = await seriousFindings(page);

    await tab(page, 'Attribution').click();
    await page.keyboard.press('ControlOrMeta+Enter');
    await expect(page.getByText(/^The token explained is/)).toBeVisible();
    const attribution = await seriousFindings(page);

    await tab(page, 'Tokenizer').click();
    await button(page, 'Read the text').click();
    await expect(page.getByText(/^means over \d+ tokens/)).toBeVisible();
    const tokenizer = await seriousFindings(page);

    await tab(page, 'Weights').click();
    await expect(page.getByText(/^Tokens whose embeddings point/)).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Error by place' })).toBeVisible();
    const weights = await seriousFindings(page);

    expect({ difference, attribution, tokenizer, weights }).toEqual({
      difference: [],
      attribution: [],
      tokenizer: [],
      weights: [],
    });
  });
}
