import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { electronIn } from '../../main/commands/electron.ts';

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-electron-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const find = (override?: string) => electronIn(folder, override, (text) => void said.push(text));
const installer = (script: string): void => writeFileSync(join(folder, 'install.js'), script);

function binaryAt(...path: string[]): string {
  const binary = join(folder, ...path);
  mkdirSync(join(binary, '..'), { recursive: true });
  writeFileSync(binary, '');
  chmodSync(binary, 0o755);
  return binary;
}

test('the binary in the folder named by the environment comes first', async () => {
  const binary = binaryAt('elsewhere', 'electron');
  expect(await find(join(folder, 'elsewhere'))).toEqual({ kind: 'found', binary });
  expect(await find(join(folder, 'nowhere'))).toEqual({
    kind: 'absent',
    reason: `there is no ${join(folder, 'nowhere', 'electron')}`,
  });
});

test('a binary that was downloaded before is used without asking anybody', async () => {
  installer('process.exit(1)');
  writeFileSync(join(folder, 'path.txt'), 'electron');
  const binary = binaryAt('dist', 'electron');
  expect(await find()).toEqual({ kind: 'found', binary });
});

test('a missing binary is downloaded by the installer of the package', async () => {
  installer(`
    const fs = require('node:fs');
    fs.mkdirSync(__dirname + '/dist');
    fs.writeFileSync(__dirname + '/dist/electron', '');
    fs.writeFileSync(__dirname + '/path.txt', 'electron');`);
  expect(await find()).toEqual({ kind: 'found', binary: join(folder, 'dist', 'electron') });
  expect(said).toEqual([]);
});

test.each([
  [`console.error('TypeError: fetch failed'); process.exit(1)`, 'fetch failed'],
  [`throw new Error('no space left')`, 'no space left'],
  ['process.exit(1)', 'no reason given'],
])('a download that fails is told in a few words: %s', async (script, reason) => {
  installer(script);
  expect(await find()).toEqual({
    kind: 'absent',
    reason: `the binary could not be downloaded (${reason})`,
  });
});
