import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportResultSchema } from '../../preload/contract/export.ts';
import { lathe } from './lathe.ts';

let folder: string;
let home: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-cli-')));
  home = join(folder, 'home');
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => lathe(home, 'export', ...args);

test('a model goes into a folder, and the files are told as one document', async () => {
  const target = join(folder, 'new', 'out');
  const args = ['tiny-stories', '--to', target, '--format', 'transformers-js', '--json'];
  const { code, json } = await run(...args);
  expect(code).toBe(0);
  const result = exportResultSchema.strict().parse(json);
  expect(result).toMatchObject({ format: 'transformers-js', folder: target });
  expect(result.files.map(({ path }) => path)).toContain('onnx/model.onnx');
  for (const { path } of result.files) expect(existsSync(join(target, path))).toBe(true);
  expect(await run(...args)).toMatchObject({
    code: 1,
    json: { error: { code: 'already_exists', file: target } },
  });
});

test('without --json the files are a table, and the folder comes last', async () => {
  const target = join(folder, 'table');
  const { out } = await run('tiny-stories', '--to', target, '--format', 'lathe');
  const lines = out.trim().split('\n');
  expect(lines.filter((line) => /[0-9a-f]{64}/.test(line))).toHaveLength(7);
  expect(lines.at(-1)).toBe(target);
});

describe('what is typed wrongly ends with exit code 2 and says what', () => {
  test.each([
    [[], 'model is missing'],
    [['tiny-stories', '--format', 'lathe'], '--to'],
    [['tiny-stories', '--to', 'x'], '--format'],
    [['tiny-stories', '--to', 'x', '--format', 'gguf'], 'gguf'],
  ])('%j', async (args, mentioned) => {
    const { code, err } = await run(...args);
    expect(code).toBe(2);
    expect(err).toContain(mentioned);
  });
});
