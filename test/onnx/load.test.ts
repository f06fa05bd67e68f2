import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../main/onnx/load.ts';
import { encodeModel } from '../../main/onnx/save.ts';
import { smallModel } from './mutate.ts';
import { block, integer, text, varint } from './protobuf.ts';

const home = mkdtempSync(join(tmpdir(), 'lathe-load-'));
const root = join(home, 'model');
const outside = join(home, 'outside');
afterAll(() => rmSync(home, { recursive: true }));

const weights = Float32Array.of(5, 6);

beforeAll(() => {
  for (const folder of [root, outside, join(root, 'sub')]) mkdirSync(folder);
  writeFileSync(join(outside, 'secret.bin'), Float32Array.of(42, 43));
  // With one name only, so that nothing but its place speaks against it.
  writeFileSync(join(outside, 'alone.bin'), Float32Array.of(42, 43));
  writeFileSync(join(root, 'ok.bin'), weights);
  copyFileSync(join(root, 'ok.bin'), join(root, 'sub', 'ok.bin'));
  writeFileSync(join(root, 'second.bin'), weights);
  writeFileSync(join(root, 'SECOND.bin'), weights);
  symlinkSync(join(outside, 'alone.bin'), join(root, 'link.bin'));
  symlinkSync(outside, join(root, 'linked'));
  linkSync(join(outside, 'secret.bin'), join(root, 'hard.bin'));
});

type Entries = [key: string, value: string][];

const external = (name: string, entries: Entries, size: number | bigint = 2): number[] =>
  block(5, [
    ...integer(1, size),
    ...integer(2, 1),
    ...text(8, name),
    ...entries.flatMap(([key, value]) => block(13, [...text(1, key), ...text(2, value)])),
    ...integer(14, 1),
  ]);

function modelWith(...tensors: number[][]): string {
  const path = join(root, 'model.onnx');
  writeFileSync(path, Uint8Array.from([...integer(1, 10), ...block(7, tensors.flat())]));
  return path;
}

function readWeight(path: string): number[] {
  const model = loadModel(path);
  try {
    const [tensor] = model.graph.initializers.values();
    const bytes = tensor?.bytes.read() ?? new Uint8Array(0);
    return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)];
  } finally {
    model.close();
  }
}

const sparse = (name: string, size: number): string => {
  const path = join(root, name);
  const file = openSync(path, 'w');
  ftruncateSync(file, size);
  closeSync(file);
  return path;
};

describe('external data inside the folder is read', () => {
  test.each<[string, Entries, number[], number?]>([
    ['whole', [['location', 'ok.bin']], [5, 6]],
    ['in a folder below', [['location', 'sub/ok.bin']], [5, 6]],
    [
      'with a base path inside',
      [
        ['location', 'ok.bin'],
        ['basepath', 'sub'],
      ],
      [5, 6],
    ],
    [
      'from an offset',
      [
        ['location', 'ok.bin'],
        ['offset', '4'],
        ['length', '4'],
      ],
      [6],
      1,
    ],
    [
      'with a checksum',
      [
        ['location', 'ok.bin'],
        ['checksum', 'abc'],
      ],
      [5, 6],
    ],
  ])('%s', (_, entries, expected, size) => {
    expect(readWeight(modelWith(external('c', entries, size)))).toEqual(expected);
  });
});

describe('external data that leaves the folder is refused', () => {
  test.each<[string, string]>([
    ['an absolute path', join(outside, 'alone.bin')],
    ['a device', '/dev/zero'],
    ['a way out', '../outside/alone.bin'],
    ['a way out further on', 'sub/../../outside/alone.bin'],
    ['a way out on Windows', '..\\outside\\alone.bin'],
    ['a link to a file', 'link.bin'],
    ['a link to a folder', 'linked/alone.bin'],
    ['a hard link', 'hard.bin'],
    ['NUL, where C ends a name', 'ok.bin\0../x'],
    ['a URL', 'file:///etc/passwd'],
    ['no location', ''],
    ['the folder', '.'],
    ['a device name', 'NUL'],
    ['a second stream', 'ok.bin:x'],
    ['an address in memory', '*/_ORT_MEM_ADDR_/*'],
  ])('%s', (_, location) => {
    expect(() => loadModel(modelWith(external('c', [['location', location]])))).toThrow(
      expect.objectContaining({ code: 'path_refused' }),
    );
  });

  test.each<[string, Entries]>([
    [
      'by its base path',
      [
        ['location', 'alone.bin'],
        ['basepath', '../outside'],
      ],
    ],
    ['by no location at all', [['offset', '0']]],
  ])('%s', (_, entries) => {
    expect(() => loadModel(modelWith(external('c', entries)))).toThrow(
      expect.objectContaining({ code: 'path_refused' }),
    );
  });

  test('by names that fall together on some systems', () => {
    const tensors = ['second.bin', 'SECOND.bin'].map((location) =>
      external(location, [['location', location]]),
    );
    expect(() => loadModel(modelWith(...tensors))).toThrow(
      expect.objectContaining({ code: 'path_refused' }),
    );
  });

  test('in a branch as well', () => {
    const tensor = external('c', [['location', '../outside/alone.bin']]);
    const branch = block(5, [...text(1, 'then_branch'), ...block(6, tensor), ...integer(20, 5)]);
    expect(() => loadModel(modelWith(block(1, branch)))).toThrow(
      expect.objectContaining({ code: 'path_refused' }),
    );
  });
});

describe('external data that does not fit is refused', () => {
  test.each<[string, Entries, (number | bigint)?]>([
    [
      'offset beyond the file',
      [
        ['offset', '4096'],
        ['length', '8'],
      ],
    ],
    [
      'length beyond the file',
      [
        ['offset', '0'],
        ['length', '8192'],
      ],
      2048,
    ],
    [
      'offset and length beyond it together',
      [
        ['offset', '4'],
        ['length', '8'],
      ],
    ],
    ['no length, shape beyond the file', [], 3],
    ['negative offset', [['offset', '-8']]],
    ['offset of 2^63 − 1', [['offset', '9223372036854775807']]],
    ['offset of 2^64 − 8', [['offset', '18446744073709551608']]],
    ['offset of sixteen digits', [['offset', '9007199254740992']]],
    ['offset in words', [['offset', 'abc']]],
    ['offset in hexadecimal', [['offset', '0x0']]],
    ['offset with a space', [['offset', ' 0']]],
    ['empty offset', [['offset', '']]],
    ['length that is not the shape’s', [['length', '4']]],
    [
      'a key given twice',
      [
        ['offset', '0'],
        ['offset', '0'],
      ],
    ],
    ['an unknown key', [['__proto__', 'x']]],
    ['a key of a runtime’s own', [['prepacked', '1']]],
  ])('%s', (_, entries, size) => {
    const all: Entries = [['location', 'ok.bin'], ...entries];
    expect(() => loadModel(modelWith(external('c', all, size)))).toThrow(
      expect.objectContaining({ code: 'graph_invalid' }),
    );
  });

  test('a missing file', () => {
    expect(() => loadModel(modelWith(external('c', [['location', 'none.bin']])))).toThrow(
      expect.objectContaining({ code: 'file_missing' }),
    );
  });
});

describe('beyond 2 GiB', () => {
  const far = 5 * 2 ** 30;

  test.each([2 ** 31 - 8, 2 ** 31, 2 ** 32 - 8, 2 ** 32, far])(
    'external data at %i is read',
    (offset) => {
      const path = sparse('large.bin', far + 8);
      const file = openSync(path, 'r+');
      writeSync(file, weights, 0, 8, offset);
      closeSync(file);
      const entries: Entries = [
        ['location', 'large.bin'],
        ['offset', String(offset)],
        ['length', '8'],
      ];
      expect(readWeight(modelWith(external('c', entries)))).toEqual([5, 6]);
      rmSync(path);
    },
  );

  test('a model file with 3 GiB of weights inside is read without them', () => {
    const size = 3 * 2 ** 30;
    const count = size / 4;
    const head = [
      ...integer(1, count),
      ...integer(2, 1),
      ...text(8, 'c'),
      ...varint(9 * 8 + 2),
      ...varint(size),
    ];
    const small = block(5, [...integer(2, 1), ...text(8, 'after'), ...block(9, [0, 0, 128, 63])]);
    const tensorLength = head.length + size;
    const tensor = [...varint(5 * 8 + 2), ...varint(tensorLength), ...head];
    const start = [...varint(7 * 8 + 2), ...varint(tensor.length + size + small.length), ...tensor];
    const path = sparse('large.onnx', start.length + size + small.length);
    const file = openSync(path, 'r+');
    writeSync(file, Uint8Array.from(start), 0, start.length, 0);
    writeSync(file, Uint8Array.from(small), 0, small.length, start.length + size);
    closeSync(file);
    const model = loadModel(path);
    const after = model.graph.initializers.get('after');
    expect(model.graph.initializers.get('c')?.bytes.length).toBe(size);
    expect([...(after?.bytes.read() ?? [])]).toEqual([0, 0, 128, 63]);
    model.close();
    rmSync(path);
  });
});

test('a model of ours reads back from its file', () => {
  const path = join(root, 'small.onnx');
  writeFileSync(path, encodeModel(smallModel()));
  const model = loadModel(path);
  expect(encodeModel(model)).toEqual(encodeModel(smallModel()));
  model.close();
});

test('what is no file is said to be none', () => {
  expect(() => loadModel(join(root, 'none.onnx'))).toThrow(
    expect.objectContaining({ code: 'file_missing' }),
  );
  expect(() => loadModel(root)).toThrow(expect.objectContaining({ code: 'file_malformed' }));
});
