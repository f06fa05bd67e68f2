import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createSink, openBytes, readFile } from '../../main/formats/files.ts';

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
