import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EngineClient, ExportEvent, ExportFormat } from '../../preload/contract/index.ts';
import { createEngine, type Engine } from '../../main/engine/engine.ts';
import { fromOrpc } from '../../main/engine/errors.ts';
import { forkNode } from '../../main/engine/runner/forkNode.ts';

let root: string;
let engine: Engine;
let client: EngineClient;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-export-')));
  const startRunner = forkNode(new URL('./fakeRunner.ts', import.meta.url));
  engine = await createEngine({ home: join(root, 'home'), startRunner, limits: { cancelMs: 300 } });
  client = createRouterClient(engine.router);
});
afterEach(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

function writeModel(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  const files = {
    'config.json': '{}',
    'model.safetensors': name,
    'tokenizer.json': '{}',
    LICENSE: 'free',
    'README.md': '---\nlicense: mit\n---\n# Card\nas it was',
    'notes.txt': 'not part of the model',
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

async function exported(
  model: string,
  folder: string,
  format: ExportFormat = 'transformers-js',
  signal?: AbortSignal,
) {
  const events: ExportEvent[] = [];
  const request = { model, folder, format };
  for await (const event of await client.models.export(request, signal ? { signal } : {})) {
    events.push(event);
  }
  const last = events.at(-1);
  if (last?.kind !== 'done') throw new Error('it ended without saying so');
  return last;
}

const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => fromOrpc(error).code,
  );

describe('an export', () => {
  test.each<[ExportFormat, string[]]>([
    ['transformers-js', ['LICENSE', 'README.md', 'config.json', 'model.onnx', 'tokenizer.json']],
    [
      'lathe',
      ['LICENSE', 'README.md', 'config.json', 'lathe.json', 'model.safetensors', 'tokenizer.json'],
    ],
  ])('as %s tells every file with its size and hash, the card included', async (format, names) => {
    const target = join(root, 'out', 'deep', 'model');
    const { files, folder } = await exported(writeModel('model'), target, format);
    expect(folder).toBe(target);
    expect(readdirSync(target).toSorted()).toEqual(names);
    expect(files.map(({ path }) => path)).toEqual(names);
    const card = readFileSync(join(target, 'README.md'), 'utf8');
    for (const { path, bytes, sha256 } of files) {
      const content = readFileSync(join(target, path));
      expect({ path, bytes, sha256 }).toEqual({
        path,
        bytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
      });
    }
    // The card cannot tell its own, nor that of the record of them all.
    const told = files.filter(({ path }) => path !== 'README.md' && path !== 'lathe.json');
    for (const { sha256 } of told) expect(card).toContain(sha256);
    expect(card).toContain('## Card\nas it was');
    expect(readdirSync(join(root, 'out', 'deep'))).toEqual(['model']);
  });

  test('takes the place of an empty folder, and of no other', async () => {
    const model = writeModel('model');
    const [empty, filled, file] = ['empty', 'filled', 'file'].map((name) => join(root, name));
    mkdirSync(empty);
    mkdirSync(filled);
    writeFileSync(join(filled, 'mine'), '');
    writeFileSync(file, '');
    expect((await exported(model, empty)).folder).toBe(empty);
    expect(await failure(exported(model, filled))).toBe('already_exists');
    expect(readdirSync(filled)).toEqual(['mine']);
    expect(await failure(exported(model, file))).toBe('already_exists');
    expect(await failure(exported(model, join(file, 'below')))).toBe('path_refused');
    expect(await failure(exported(model, 'relative'))).toBe('usage');
    expect(await failure(exported('nobody', join(root, 'out')))).toBe('not_found');
  });

  test.each([
    ['whose process ends', 'crash-export', 'runner_crashed'],
    ['that finds the disk full', 'full', 'disk_full'],
  ])('%s leaves nothing, not even the folders it made', async (_, name, code) => {
    expect(await failure(exported(writeModel(name), join(root, 'new', 'below', 'out')))).toBe(code);
    expect(existsSync(join(root, 'new'))).toBe(false);
  });

  test('that is cancelled leaves nothing, within a second', async () => {
    const model = writeModel('hang-export');
    const stop = new AbortController();
    const work = failure(exported(model, join(root, 'new', 'out'), 'transformers-js', stop.signal));
    const writing = (): boolean =>
      existsSync(join(root, 'new')) &&
      readdirSync(join(root, 'new'), { recursive: true })
        .map(String)
        .some((at) => at.endsWith('.onnx'));
    while (!writing()) await new Promise((resolve) => setTimeout(resolve, 20));
    stop.abort();
    expect(await work).toBe('cancelled');
    expect(existsSync(join(root, 'new'))).toBe(false);
  });

  test('for another Lathe does not tell where the model lay', async () => {
    const target = join(root, 'out');
    await exported(writeModel('model'), target, 'lathe');
    for (const name of readdirSync(target)) {
      expect(readFileSync(join(target, name), 'utf8')).not.toContain(root);
    }
  });
});
