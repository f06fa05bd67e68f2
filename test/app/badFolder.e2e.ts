import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askForFolder, button, folderFailure, tokens, view } from './playground.ts';
import { expect, test } from './shell.ts';

const embedded = join(import.meta.dirname, '../../resources/models/tiny-stories');

/** A copy of the embedded model with one file changed. */
function damaged(home: string, name: string, change: (bytes: Buffer) => Buffer): string {
  const folder = join(home, 'damaged');
  mkdirSync(folder);
  for (const file of ['config.json', 'tokenizer.json', 'model.safetensors']) {
    cpSync(join(embedded, file), join(folder, file));
  }
  const path = join(folder, name);
  const bytes = change(readFileSync(path));
  cpSync(join(embedded, name), path, { force: true });
  writeFileSync(`${path}.new`, bytes);
  cpSync(`${path}.new`, path, { force: true });
  return folder;
}

const cases: [what: string, file: string, change: (bytes: Buffer) => Buffer][] = [
  ['a truncated weight file', 'model.safetensors', (bytes) => bytes.subarray(0, 1_000_000)],
  [
    'a header of 2^63 bytes',
    'model.safetensors',
    (bytes) => Buffer.concat([Buffer.from('0000000000000080', 'hex'), bytes.subarray(8)]),
  ],
  [
    'an unknown architecture',
    'config.json',
    (bytes) => Buffer.from(bytes.toString().replaceAll('"llama"', '"unheard-of"')),
  ],
];

for (const [what, file, change] of cases) {
  test(`${what} is refused with a message that names ${file}`, async ({ shell }) => {
    const { page, home } = shell;
    await askForFolder(page, damaged(home, file, change));
    await expect(folderFailure(page)).toContainText(file);
    await page.keyboard.press('Escape');
    await view(page, 'Playground').click();
    await button(page, 'Run').click();
    await expect(tokens(page)).not.toHaveCount(0);
  });
}
