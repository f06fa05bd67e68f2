import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesRead, dropFromPageCache } from '../../../main/engine/runner/pageCache.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a file system that lies in memory says of itself. */
const tmpfs = 0x01021994;

test('a file that was dropped is read from the disk again, where there is a disk', async () => {
  const file = join(folder, 'weights');
  const size = 8 * 2 ** 20;
  writeFileSync(file, Buffer.alloc(size, 7));
  const isDropped = await dropFromPageCache([file]);
  const before = bytesRead();
  expect(readFileSync(file)).toHaveLength(size);
  const after = bytesRead();
  const isOnDisk = process.platform === 'linux' && statfsSync(folder).type !== tmpfs;
  const isCounted = before !== null && after !== null;
  const read = isCounted ? after - before : 0;
  // Elsewhere nothing can be claimed.
  expect(isDropped && isOnDisk && isCounted ? read : size).toBeGreaterThanOrEqual(size);
});

test('a system without the program that asks for it drops nothing and says so', async () => {
  const file = join(folder, 'weights');
  writeFileSync(file, 'x');
  const path = process.env['PATH'];
  process.env['PATH'] = folder;
  try {
    expect(await dropFromPageCache([file])).toBe(false);
  } finally {
    process.env['PATH'] = path;
  }
});
