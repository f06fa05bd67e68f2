import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  isAlive,
  publishFolder,
  sweep,
  temporaryFolder,
  placing,
} from '../../main/library/folders.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'lathe-folders-'));
});
afterEach(() => rmSync(parent, { recursive: true }));

const filled = (content: string): string => {
  const folder = temporaryFolder(parent);
  writeFileSync(join(folder, 'file'), content);
  return folder;
};

test('of two folders published under one name, the first stays whole', () => {
  const target = join(parent, 'name');
  expect(publishFolder(filled('first'), target)).toBe(true);
  const late = filled('second');
  expect(publishFolder(late, target)).toBe(false);
  expect(existsSync(late)).toBe(true);
  expect(readdirSync(target)).toEqual(['file']);
});

test('sweeping removes what dead processes left, and nothing else', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  expect(isAlive(dead)).toBe(false);
  const stale = join(parent, `.tmp-${dead}-0123456789ab`);
  const recent = join(parent, `.tmp-${dead}-ba9876543210`);
  const foreign = join(parent, '.tmp-not-ours');
  const mine = filled('in work');
  for (const folder of [stale, recent, foreign]) mkdirSync(folder);
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const folder of [stale, foreign, mine]) utimesSync(folder, longAgo, longAgo);
  sweep(parent);
  expect([stale, recent, foreign, mine].map((folder) => existsSync(folder))).toEqual([
    false,
    true,
    true,
    true,
  ]);
});

test('what the system refuses to write is told with the place and the reason', () => {
  const file = join(parent, 'file');
  writeFileSync(file, '');
  expect(() => placing(file, () => mkdirSync(join(file, 'below')))).toThrow(
    expect.objectContaining({
      code: 'path_refused',
      message: expect.stringContaining(`nothing can be written here: ${file}: ENOTDIR`),
      data: { file },
    }),
  );
  const mistake = new Error('not of the system');
  expect(() =>
    placing(file, () => {
      throw mistake;
    }),
  ).toThrow(mistake);
});
