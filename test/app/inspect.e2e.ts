import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { seriousFindings } from './axe.ts';
import { button, failure, typePrompt, view } from './playground.ts';
import { expect, report, test } from './shell.ts';

const heads = (page: Page) => page.getByRole('group', { name: 'Heads, layer by layer' });
const map = (page: Page) => page.getByRole('group', { name: /^Map of/ });

async function capture(page: Page, text: string): Promise<void> {
  await view(page, 'Inspect').click();
  await typePrompt(page, text);
  await page.keyboard.press('ControlOrMeta+Enter');
}

/** The file that the map is saved as. */
async function saved(page: Page, format: string): Promise<Buffer> {
  await button(page, 'Save the map').click();
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: format }).click();
  return readFileSync(await (await download).path());
}

/** Looking inside the embedded model: the same steps in the window and in the browser. */
test('capture, open a head, read a value, switch it off, follow a prediction', async ({
  shell: { page, application },
}) => {
  await test.step('Ctrl-Enter captures what was typed', async () => {
    await capture(page, 'Tom had a red ball. Tom had a red');
    await expect(heads(page)).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText('5 layers × 8 heads')).toBeVisible();
    const cost = await page.getByText(/\(plain .+\)$/).textContent();
    report(`capture of the embedded model took ${cost}`);
  });

  await test.step('arrows walk through the heads and say what each does; Enter opens', async () => {
    await heads(page).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await expect(page.getByText(/^Layer 1, head 1: .*entropy \d+\.\d\d bits/)).toBeVisible();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'Layer 1 · head 1' })).toBeVisible();
  });

  await test.step('the exact value stands under the pointer: rows of weights, scores where asked', async () => {
    const pane = page.getByRole('region', { name: 'Map' });
    const box = await map(page).boundingBox();
    if (!box) throw new Error('the map has no place');
    // The first token can look at nothing but itself.
    await page.mouse.move(box.x + 16 + 112 + 3, box.y + 88 + 3);
    await expect(page.getByText(/^0 .* → 0 .*: 1\.0000$/)).toBeVisible();
    await pane.getByText('Scores', { exact: true }).click();
    await page.mouse.move(box.x + 16 + 112 + 4, box.y + 88 + 3);
    await expect(page.getByText(/^0 .* → 0 .*: −?[\d.e−]+$/)).toBeVisible();
    await pane.getByText('Weights', { exact: true }).click();
  });

  await test.step('heads are found by what they do', async () => {
    await page.getByRole('textbox', { name: 'Find heads that' }).fill('layer 0-1');
    await expect(page.getByText('16 of 40 heads')).toBeVisible();
    await page.getByRole('textbox', { name: 'Find heads that' }).fill('');
  });

  await test.step('a head that is switched off changes what is predicted', async () => {
    await heads(page).focus();
    await page.keyboard.press('x');
    await button(page, 'Run without it').click();
    await expect(page.getByText(/mean KL [\d.e−]+ nats/)).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText(/KL\(with ‖ without\) [\d.e−]+ nats/)).toBeVisible();
    await button(page, 'Reset').click();
  });

  await test.step('the map is offered as picture and as numbers', async () => {
    await button(page, 'Save the map').click();
    await expect(page.getByRole('menuitem')).toHaveText(['PNG', 'SVG', 'CSV', 'JSON', 'NumPy']);
    await page.keyboard.press('Escape');
    // The desktop's stand-in has no downloads.
    if (application) return;
    const [png, svg, csv, npy] = [
      await saved(page, 'PNG'),
      await saved(page, 'SVG'),
      await saved(page, 'CSV'),
      await saved(page, 'NumPy'),
    ];
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.length).toBeGreaterThan(5000);
    expect(svg.toString()).toMatch(/^<svg[^>]+width="\d{3}/);
    expect(svg.toString()).toContain('attention weight');
    expect(svg.toString()).not.toContain('var(');
    const rows = csv.toString().trim().split('\r\n');
    expect(npy.toString('latin1')).toContain(`'shape': (${rows.length - 1}, ${rows.length - 1})`);
  });

  const attention = await seriousFindings(page);
  await test.step('the lens follows the prediction through the layers, and takes its logit apart', async () => {
    await page.getByRole('tab', { name: 'Lens' }).click();
    await expect(page.getByText(/nats per token, perplexity/)).toBeVisible();
    await page.getByRole('group', { name: 'Top token of every layer and position' }).focus();
    await page.keyboard.press('ArrowUp');
    await expect(page.getByText(/^layer 3, token \d+: .* final token .* norm/)).toBeVisible();
    await expect(page.getByRole('img', { name: 'Logit by layer and head' })).toBeVisible();
  });
  const lens = await seriousFindings(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  const lensDark = await seriousFindings(page);
  await page.getByRole('tab', { name: 'Attention' }).click();
  await page.getByText('Table', { exact: true }).click();
  await expect(page.getByRole('row', { name: /^L4 H7/ })).toBeVisible();
  const tableDark = await seriousFindings(page);
  expect({ attention, lens, lensDark, tableDark }).toEqual({
    attention: [],
    lens: [],
    lensDark: [],
    tableDark: [],
  });
});

test('a prompt longer than the context is explained, and the next one works', async ({
  shell: { page },
}) => {
  await capture(page, 'one');
  await expect(heads(page)).toBeVisible({ timeout: 30_000 });
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).focus();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText('ball '.repeat(600));
  await page.keyboard.press('ControlOrMeta+Enter');
  await expect(failure(page)).toContainText('512');
  await failure(page).getByRole('button', { name: 'Shorten the prompt' }).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('The fox');
  await page.keyboard.press('ControlOrMeta+Enter');
  await expect(heads(page)).toBeVisible({ timeout: 30_000 });
});
