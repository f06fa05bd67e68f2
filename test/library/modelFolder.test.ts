import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { modelNameOf } from '../../main/formats/downloadCache.ts';
import { modelFolderAt } from '../../main/library/modelFolder.ts';

let repository: string;
beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'lathe-models--a--b-'));
});
afterEach(() => rmSync(repository, { recursive: true }));

const point = (revision: string): void => {
  mkdirSync(join(repository, 'refs'));
  writeFileSync(join(repository, 'refs', 'main'), revision);
};

test('a repository in the download cache means the revision of its main branch', () => {
  point('0123abcd\n');
  expect(modelFolderAt(repository)).toBe(join(repository, 'snapshots', '0123abcd'));
});

test('any other path means itself', () => {
  expect(modelFolderAt(repository)).toBe(repository);
  expect(modelFolderAt(join(repository, 'nothing'))).toBe(join(repository, 'nothing'));
  point('0123abcd');
  writeFileSync(join(repository, 'config.json'), '{}');
  expect(modelFolderAt(repository)).toBe(repository);
});

test.each(['../..', '/etc', ''])('a branch at %j is refused', (revision) => {
  point(revision);
  expect(() => modelFolderAt(repository)).toThrow(
    expect.objectContaining({ code: 'path_refused' }),
  );
});

test.each([
  ['/home/me/SmolLM2', 'SmolLM2'],
  ['/hub/models--owner--small-one/snapshots/0123abcd', 'small-one'],
  ['/hub/models--gpt2/snapshots/0123abcd', 'gpt2'],
  ['/hub/datasets--owner--texts/snapshots/0123abcd', '0123abcd'],
  ['/hub/models--owner--small-one/other/0123abcd', '0123abcd'],
])('%s is called %s', (folder, name) => {
  expect(modelNameOf(folder)).toBe(name);
});
