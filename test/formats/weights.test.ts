import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openWeights } from '../../main/formats/weights.ts';
import { safetensors } from '../models/safetensors.ts';
import { withoutRights } from '../setup/withoutRights.ts';

const root = mkdtempSync(join(tmpdir(), 'lathe-weights-'));
afterAll(() => rmSync(root, { recursive: true }));

const one = (name: string, value: number): Uint8Array =>
  safetensors([{ name, shape: [1], dtype: 'U8', bytes: Uint8Array.of(value) }]);

let folders = 0;
/** A folder with these files; an index is given as what `weight_map` is to hold. */
function folderWith(files: Record<string, Uint8Array>, weightMap?: unknown): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  if (weightMap !== undefined) {
    const index = JSON.stringify({ metadata: { total_size: 2 }, weight_map: weightMap });
    writeFileSync(join(folder, 'model.safetensors.index.json'), index);
  }
  return folder;
}

test('a single file is read, also beside an index', () => {
  const tensors = openWeights(folderWith({ 'model.safetensors': one('a', 1) }, { b: 'gone' }));
  expect(tensors.names).toEqual(['a']);
  tensors.close();
});

test.skipIf(process.platform === 'win32')('a file that may not be read is not missing', () => {
  const folder = folderWith({ 'model.safetensors': one('a', 1) });
  chmodSync(root, 0o755);
  const file = join(folder, 'model.safetensors');
  expect(() => withoutRights(file, () => openWeights(folder))).toThrow(
    `no permission to open the file: ${file}`,
  );
});

test('shards are read as one, each tensor from the file the index names', () => {
  const folder = folderWith(
    { 'x.safetensors': one('a', 1), 'y.safetensors': one('b', 2) },
    {
      b: 'y.safetensors',
      a: 'x.safetensors',
    },
  );
  const tensors = openWeights(folder);
  expect(
    tensors.names.map((name) => [name, ...tensors.get(name)!.read(), tensors.get(name)!.file]),
  ).toEqual([
    ['b', 2, join(folder, 'y.safetensors')],
    ['a', 1, join(folder, 'x.safetensors')],
  ]);
  tensors.close();
});

test('a folder without weights says what was looked for', () => {
  const folder = folderWith({});
  expect(() => openWeights(folder)).toThrow(
    expect.objectContaining({
      code: 'file_missing',
      message: `no weights in this folder, neither model.safetensors nor model.safetensors.index.json: ${folder}`,
    }),
  );
});

test('a shard that is missing or lacks its tensor is named', () => {
  const missing = folderWith({ x: one('a', 1) }, { a: 'x', b: 'y' });
  expect(() => openWeights(missing)).toThrow(
    expect.objectContaining({
      code: 'file_missing',
      data: expect.objectContaining({ file: join(missing, 'y') }),
    }),
  );
  const lacking = folderWith({ x: one('a', 1) }, { a: 'x', b: 'x' });
  expect(() => openWeights(lacking)).toThrow(
    expect.objectContaining({
      code: 'tensor_missing',
      data: { file: join(lacking, 'x'), tensor: 'b' },
    }),
  );
});

test.each(['../outside', '/etc/passwd', 'a/../../b', 'C:\\x', 'x\0y', '', 'NUL', '.', 'a:b'])(
  'a shard named %j is refused',
  (name) => {
    expect(() => openWeights(folderWith({}, { a: name }))).toThrow(
      expect.objectContaining({ code: 'path_refused' }),
    );
  },
);

test('a shard that is a link, soft or hard, is refused', () => {
  const outside = folderWith({ w: one('a', 1) });
  const soft = folderWith({}, { a: 'w' });
  symlinkSync(join(outside, 'w'), join(soft, 'w'));
  const hard = folderWith({}, { a: 'w' });
  linkSync(join(outside, 'w'), join(hard, 'w'));
  for (const folder of [soft, hard]) {
    expect(() => openWeights(folder)).toThrow(expect.objectContaining({ code: 'path_refused' }));
  }
});

test.each([
  ['a list', [], 'weight_map must be an object: []'],
  ['a number for a file', { a: 1 }, 'weight_map must name a file for a: 1'],
  [
    '2,000 files',
    Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [i, `${i}`])),
    'index may name at most 1024 files: 2000',
  ],
])('an index with %s is refused', (_, weightMap, message) => {
  expect(() => openWeights(folderWith({}, weightMap))).toThrow(message);
});
