import { expect, type Locator, type Page } from '@playwright/test';

/** The parts of the window that the tests touch, by role and name as a screen reader finds them. */

type ViewTitle = 'Library' | 'Playground' | 'Inspect' | 'Compress' | 'Compare' | 'Bench';

export const view = (page: Page, name: ViewTitle): Locator =>
  page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name });

export const button = (page: Page, name: string): Locator =>
  page.getByRole('button', { name, exact: true });

export const output = (page: Page): Locator => page.getByRole('log', { name: 'Output' });

export const tokens = (page: Page): Locator => output(page).locator('[data-token]');

/** What went wrong with the run. */
export const failure = (page: Page): Locator => page.getByRole('main').getByRole('alert');

/** The text that the model wrote, without what was kept from an earlier run. */
export async function writtenText(page: Page): Promise<string> {
  return (await tokens(page).allTextContents()).join('');
}

const folderDialog = (page: Page): Locator => page.getByRole('dialog', { name: 'Open folder' });

/** What is wrong with the folder that was asked for. */
export const folderFailure = (page: Page): Locator => folderDialog(page).getByRole('alert');

/** Replaces the prompt by typing. */
export async function typePrompt(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).focus();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type(text);
}

export async function setMaxTokens(page: Page, count: number): Promise<void> {
  const field = page.getByRole('textbox', { name: 'Max tokens' });
  await field.fill(String(count));
  await field.blur();
}

/** Runs the prompt and waits until the run has ended by itself. */
export async function runToEnd(page: Page): Promise<void> {
  await button(page, 'Run').click();
  await expect(button(page, 'Stop')).toBeEnabled();
  await expect(button(page, 'Run')).toBeEnabled();
}

/** Names a folder in the "open folder" dialog of the library and asks for it. */
export async function askForFolder(page: Page, folder: string): Promise<void> {
  await view(page, 'Library').click();
  await button(page, 'Open folder…').first().click();
  const dialog = folderDialog(page);
  await dialog.getByRole('textbox', { name: 'Folder' }).fill(folder);
  await dialog.getByRole('button', { name: 'Open', exact: true }).click();
}

/** Opens a model folder in place and chooses it in the playground. */
export async function openModel(page: Page, folder: string, name: string): Promise<void> {
  await askForFolder(page, folder);
  await expect(folderDialog(page)).toBeHidden();
  await view(page, 'Playground').click();
  await page.getByRole('combobox', { name: 'Model' }).click();
  await page.getByRole('option', { name }).click();
}
