import { seriousFindings } from './axe.ts';
import { button, output, runToEnd, tokens, typePrompt, view } from './playground.ts';
import { expect, test } from './shell.ts';

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious in library and playground, ${colorScheme}`, async ({ shell }) => {
    const { page } = shell;
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const empty = await seriousFindings(page);

    await runToEnd(page);
    const finished = await seriousFindings(page);

    await tokens(page).first().click();
    await expect(page.getByRole('dialog')).toBeVisible();
    const alternatives = await seriousFindings(page);
    await page.keyboard.press('Escape');

    await view(page, 'Library').click();
    await expect(page.getByRole('heading', { name: 'Library' })).toBeVisible();
    const library = await seriousFindings(page);

    expect({ empty, finished, alternatives, library }).toEqual({
      empty: [],
      finished: [],
      alternatives: [],
      library: [],
    });
  });
}

test('everything can be done by keyboard: views, prompt, run, stop', async ({
  shell: { page },
}) => {
  const palette = async (words: string): Promise<void> => {
    await page.keyboard.press('ControlOrMeta+K');
    await expect(page.getByRole('dialog')).toBeVisible();
    await page.keyboard.type(words);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog')).toBeHidden();
  };
  await palette('library');
  await expect(page.getByRole('heading', { name: 'Library' })).toBeVisible();
  await palette('playground');
  await typePrompt(page, 'Tom and his dog');
  await page.keyboard.press('ControlOrMeta+Enter');
  await expect(tokens(page)).not.toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(button(page, 'Stop')).toBeDisabled();
  await expect(output(page)).not.toBeEmpty();
});
