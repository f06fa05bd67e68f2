import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createSink, openBytes, openInside, readFile } from '../../main/formats/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'lathe-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, bytes: number[]): string {
  const path = join(folder, name);
  writeFileSync(path, Uint8Array.from(bytes));
  return path;
}

test('a sink writes in order and counts, and the bytes read back at any offset', () => {
  const path = join(folder, 'written');
  const sink = createSink(path);
  sink.write(Uint8Array.of(1, 2, 3));
  sink.write(Uint8Array.of(4, 5));
  expect(sink.position).toBe(5);
  sink.close();
  const bytes = openBytes(path);
  expect([bytes.length, [...bytes.read(1, 3)], [...bytes.read(5, 0)]]).toEqual([5, [2, 3, 4], []]);
  bytes.close();
});

test('bytes read are aligned for any typed array', () => {
  const bytes = openBytes(fileWith('aligned', [9, 9, 9, 0, 0, 128, 63]));
  expect([...new Float32Array(bytes.read(3, 4).buffer)]).toEqual([1]);
  bytes.close();
});

test('reading past the end names file and offset', () => {
  const path = fileWith('short', [1, 2]);
  const bytes = openBytes(path);
  for (const [offset, length] of [
    [0, 3],
    [2, 1],
    [-1, 1],
    [0, -1],
    [NaN, 1],
  ]) {
    expect(() => bytes.read(offset, length)).toThrow(
      expect.objectContaining({ code: 'file_malformed' }),
    );
  }
  expect(() => bytes.read(1, 2)).toThrow(`file ends before the 2 bytes at 1: ${path} has 2 bytes`);
  bytes.close();
});

test('a file that shrinks while open is reported as changed', () => {
  const path = fileWith('shrinks', [1, 2, 3, 4]);
  const bytes = openBytes(path);
  truncateSync(path, 1);
  expect(() => bytes.read(0, 4)).toThrow(expect.objectContaining({ code: 'file_changed' }));
  bytes.close();
});

test('a closed file cannot be read, and closing twice closes no other file', () => {
  const bytes = openBytes(fileWith('closed', [1]));
  bytes.close();
  const other = openBytes(fileWith('other', [2]));
  bytes.close();
  expect(() => bytes.read(0, 1)).toThrow('read after close');
  expect([...other.read(0, 1)]).toEqual([2]);
  other.close();
});

test('a missing file and a folder are typed errors', () => {
  const missing = join(folder, 'nothing', 'here');
  expect(() => openBytes(missing)).toThrow(
    expect.objectContaining({ code: 'file_missing', data: { file: missing, value: 'ENOENT' } }),
  );
  expect(() => openBytes(folder)).toThrow(expect.objectContaining({ code: 'file_malformed' }));
  expect(() => createSink(folder)).toThrow(expect.objectContaining({ code: 'file_malformed' }));
});

test('a whole file is read only within its limit', () => {
  const path = fileWith('whole', [1, 2, 3]);
  expect([...readFile(path, 3)]).toEqual([1, 2, 3]);
  expect(() => readFile(path, 2)).toThrow(expect.objectContaining({ code: 'file_too_large' }));
});

test('a file has its name only when it is complete, and replaces the old one', () => {
  const path = fileWith('replaced', [1]);
  const sink = createSink(path);
  sink.write(Uint8Array.of(2, 3));
  expect([...readFile(path, 9)]).toEqual([1]);
  sink.close();
  expect([...readFile(path, 9)]).toEqual([2, 3]);
});

test('a discarded file leaves the old one and nothing else', () => {
  const path = fileWith('discarded', [1]);
  const sink = createSink(path);
  sink.write(Uint8Array.of(2, 3));
  sink.discard();
  sink.discard();
  expect([...readFile(path, 9)]).toEqual([1]);
  expect(readdirSync(folder).filter((name) => name.startsWith('discarded'))).toEqual(['discarded']);
});

describe('a file inside a folder', () => {
  const outside = mkdtempSync(join(tmpdir(), 'lathe-outside-'));
  afterAll(() => rmSync(outside, { recursive: true }));
  const root = join(folder, 'root');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(join(root, 'sub', 'weights'), 'abc');
  writeFileSync(join(outside, 'secret'), 'secret');
  // With one name only, so that nothing but its place speaks against it.
  writeFileSync(join(outside, 'alone'), 'secret');
  symlinkSync(join(outside, 'alone'), join(root, 'link'));
  symlinkSync(outside, join(root, 'linked'));
  symlinkSync(join(root, 'sub', 'weights'), join(root, 'link-within'));
  symlinkSync(join(root, 'sub'), join(root, 'sub-within'));
  linkSync(join(outside, 'secret'), join(root, 'hard'));

  test('is opened, through a link of a folder that stays inside too', () => {
    for (const path of ['sub/weights', 'sub-within/weights']) {
      const bytes = openInside(root, path);
      expect(new TextDecoder().decode(bytes.read(0, 3))).toBe('abc');
      bytes.close();
    }
  });

  test('is opened in a folder that is itself reached through a link', () => {
    symlinkSync(root, join(folder, 'root-link'));
    const bytes = openInside(join(folder, 'root-link'), 'sub/weights');
    expect(bytes.length).toBe(3);
    bytes.close();
  });

  test('is opened as a link into the download cache it belongs to', () => {
    const cache = join(folder, 'models--a--b');
    const snapshot = join(cache, 'snapshots', 'abc');
    mkdirSync(join(cache, 'blobs'), { recursive: true });
    mkdirSync(join(snapshot, 'onnx'), { recursive: true });
    writeFileSync(join(cache, 'blobs', '0123'), 'abc');
    writeFileSync(join(cache, 'secret'), 'secret');
    linkSync(join(cache, 'secret'), join(cache, 'blobs', 'twice'));
    symlinkSync('../../blobs/0123', join(snapshot, 'weights'));
    symlinkSync('../../../blobs/0123', join(snapshot, 'onnx', 'weights'));
    symlinkSync('../../secret', join(snapshot, 'beside'));
    symlinkSync('../../blobs/twice', join(snapshot, 'twice'));
    symlinkSync(join(cache, 'blobs', '0123'), join(root, 'not-its-own'));
    for (const place of [snapshot, join(snapshot, 'onnx')]) {
      const bytes = openInside(place, 'weights');
      expect(bytes.path).toBe(join(place, 'weights'));
      expect(bytes.target).toBe(join(cache, 'blobs', '0123'));
      expect(new TextDecoder().decode(bytes.read(0, 3))).toBe('abc');
      bytes.close();
    }
    for (const [place, name] of [
      [snapshot, 'beside'],
      [snapshot, 'twice'],
      [root, 'not-its-own'],
    ]) {
      expect(() => openInside(place, name)).toThrow(
        expect.objectContaining({ code: 'path_refused' }),
      );
    }
  });

  test.each([
    ['a link to a file outside', 'link'],
    ['a link to a folder outside', 'linked/alone'],
    ['a link to a file inside', 'link-within'],
    ['a hard link', 'hard'],
    ['a path that leads outside', '../../secret'],
    ['an absolute path', join(outside, 'secret')],
  ])('is refused: %s', (_, path) => {
    expect(() => openInside(root, path)).toThrow(expect.objectContaining({ code: 'path_refused' }));
  });

  test.each([
    ['file_missing', 'none'],
    ['file_missing', 'none/weights'],
    ['file_malformed', 'sub'],
  ])('fails with %s where it should: %s', (code, path) => {
    expect(() => openInside(root, path)).toThrow(expect.objectContaining({ code }));
  });
});
