import { execFile } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { isCode } from '../../library/folders.ts';

/**
 * Asks the system to forget what it keeps of files in memory, so that they are read from the disk
 * again. Any user may ask that of a file he can read, but Node cannot: GNU's `dd` does
 * (posix_fadvise). False where there is no such way; whether the system did it, only `bytesRead`
 * tells, since it keeps what any process has mapped.
 */
export async function dropFromPageCache(files: readonly string[]): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  for (const file of files) {
    flush(file);
    const dropped = await run('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
    if (!dropped) return false;
  }
  return true;
}

/** Whether a program is there and does what it is asked. */
function run(program: string, words: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => execFile(program, words, (error) => resolve(error === null)));
}

/** What is not on the disk yet cannot be forgotten. */
function flush(file: string): void {
  const fd = openSync(file, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Bytes that this process made the system read from disks so far; null where that is not counted. */
export function bytesRead(): number | null {
  try {
    const digits = /^read_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1];
    return digits === undefined ? null : Number(digits);
  } catch (error) {
    if (isCode(error, 'ENOENT', 'EACCES')) return null;
    throw error;
  }
}
