import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copyDurably, checkSpace } from '../../main/library/copy.ts';
import { graphNameIn, isModelFolder, modelFiles } from '../../main/library/modelFiles.ts';
import { withoutRights } from '../setup/withoutRights.ts';

let root: string;
let folder: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-files-')));
  folder = join(root, 'model');
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), '{}');
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (...names: string[]): void => {
  for (const name of names) writeFileSync(join(folder, name), 'content');
};
const names = (): string[] => modelFiles(folder).map((file) => file.name);

describe('the files of a model folder', () => {
  test('are those that make the model, with its card and licence, and no others', () => {
    write('model.safetensors', 'tokenizer.json', 'README.md', 'LICENSE', 'NOTICE.txt');
    write('pytorch_model.bin', 'train.py', '.env', 'notes.json');
    mkdirSync(join(folder, 'checkpoint'));
    expect(modelFiles(folder)).toEqual([
      { name: 'LICENSE', bytes: 7, role: 'text' },
      { name: 'NOTICE.txt', bytes: 7, role: 'text' },
      { name: 'README.md', bytes: 7, role: 'text' },
      { name: 'config.json', bytes: 2, role: 'settings' },
      { name: 'model.safetensors', bytes: 7, role: 'weights' },
      { name: 'tokenizer.json', bytes: 7, role: 'settings' },
    ]);
  });

  test('are all shards where there is no single weight file, and that alone where there is', () => {
    write('model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors');
    expect(names().filter((name) => name.endsWith('.safetensors'))).toHaveLength(2);
    write('model.safetensors', 'consolidated.safetensors');
    expect(names().filter((name) => name.endsWith('.safetensors'))).toEqual(['model.safetensors']);
  });

  test('may be links inside the folder or into the download cache they belong to', () => {
    const snapshot = join(root, 'models--owner--repo', 'snapshots', 'abc');
    const blobs = join(root, 'models--owner--repo', 'blobs');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(blobs);
    writeFileSync(join(blobs, '0123'), '{"from": "cache"}');
    symlinkSync('../../blobs/0123', join(snapshot, 'config.json'));
    expect(modelFiles(snapshot)).toEqual([{ name: 'config.json', bytes: 17, role: 'settings' }]);
    write('weights.safetensors');
    symlinkSync('weights.safetensors', join(folder, 'other.safetensors'));
    expect(names()).toContain('other.safetensors');
  });

  test.each([
    ['a link out of the folder', '../secret', 'path_refused'],
    ['an absolute link', '/etc/hostname', 'path_refused'],
    ['a link that leads nowhere', 'nothing', 'file_missing'],
    ['a link to itself', 'README.md', 'file_missing'],
    ['a device', '/dev/null', 'path_refused'],
  ])('are not %s', (_, target, code) => {
    writeFileSync(join(root, 'secret'), 'secret');
    symlinkSync(target, join(folder, 'README.md'));
    const file = join(folder, 'README.md');
    expect(() => modelFiles(folder)).toThrow(
      expect.objectContaining({ code, data: expect.objectContaining({ file }) }),
    );
  });

  test.skipIf(process.platform === 'win32')('are not seen without the right to', () => {
    chmodSync(root, 0o755);
    expect(() => withoutRights(folder, () => modelFiles(folder))).toThrow(
      expect.objectContaining({
        code: 'file_missing',
        message: `no permission to read the folder: ${folder}`,
      }),
    );
  });

  test('are not in a folder that is none', () => {
    for (const path of [join(root, 'nowhere'), join(folder, 'config.json'), root]) {
      expect(() => modelFiles(path)).toThrow(expect.objectContaining({ code: 'file_missing' }));
    }
    expect([isModelFolder(folder), isModelFolder(root)]).toEqual([true, false]);
  });
});

describe('copying', () => {
  test('gives the same bytes and hears of them', async () => {
    write('model.safetensors');
    const target = join(root, 'copy');
    await copyDurably(join(folder, 'model.safetensors'), target);
    expect(await import('node:fs').then((fs) => fs.readFileSync(target, 'utf8'))).toBe('content');
  });

  test.runIf(process.platform === 'linux')('onto a full disk is a typed error', async () => {
    write('model.safetensors');
    await expect(copyDurably(join(folder, 'model.safetensors'), '/dev/full')).rejects.toMatchObject(
      {
        code: 'disk_full',
        data: { file: '/dev/full' },
      },
    );
  });

  test('ends when it is cancelled', async () => {
    write('model.safetensors');
    const signal = AbortSignal.abort();
    const target = join(root, 'copy');
    // A file system that shares blocks has copied before anyone could stop it.
    const result = await copyDurably(join(folder, 'model.safetensors'), target, { signal }).then(
      () => 'copied',
      (error: Error) => error.name,
    );
    expect(['AbortError', 'copied']).toContain(result);
  });

  test('is refused before it begins when the disk has not enough room', async () => {
    await expect(checkSpace(root, 2 ** 60)).rejects.toMatchObject({ code: 'disk_full' });
    await checkSpace(root, 1);
  });
});

describe('a folder that brings a graph', () => {
  test('has the graph, its weights beside it, and no other graph', () => {
    write('model.onnx', 'model.onnx.data', 'model_q4.onnx', 'model_q4.onnx_data', 'other.onnx');
    expect(names()).toEqual(['config.json', 'model.onnx', 'model.onnx.data']);
  });

  test('may have it where transformers.js looks, with weights in several files', () => {
    mkdirSync(join(folder, 'onnx'));
    write('onnx/model_q4.onnx', 'onnx/model_fp16.onnx', 'onnx/notes.txt');
    write('onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model.onnx_data_1');
    expect(names()).toEqual([
      'config.json',
      'onnx/model.onnx',
      'onnx/model.onnx_data',
      'onnx/model.onnx_data_1',
    ]);
    expect(graphNameIn(modelFiles(folder))).toBe('onnx/model.onnx');
  });

  test('is used by its safetensors where it has both', () => {
    write('model.onnx', 'model.onnx.data', 'model.safetensors');
    expect(names()).toEqual(['config.json', 'model.safetensors']);
    expect(graphNameIn(modelFiles(folder))).toBeNull();
  });

  test('is not looked into through a link that leaves it', () => {
    const outside = join(root, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'model.onnx'), 'content');
    symlinkSync(outside, join(folder, 'onnx'));
    expect(names()).toEqual(['config.json']);
  });
});
