import { createHash } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Kept } from '../../evaluation/kept.ts';
import { diskError } from '../../library/folders.ts';

/** A file of readings that is open to be added to. */
export interface KeptReadings extends Kept {
  close(): void;
}

/**
 * Readings of items in the folder of a job, a line each behind a first one with the key of what is
 * measured. Every line begins with its checksum: one that was torn, or that belongs to another key,
 * ends what counts, and what is behind it is cut off.
 */
export function openReadings(work: string, key: string): KeptReadings {
  const file = join(work, 'readings.jsonl');
  const { readings, length } = existsSync(file) ? readBack(readFileSync(file), key) : nothing;
  const fd = openSync(file, length === 0 ? 'w' : 'r+');
  ftruncateSync(fd, length);
  let position = length;
  const add = (value: unknown): void => {
    try {
      position += writeSync(fd, withChecksum(JSON.stringify(value)), position);
    } catch (error) {
      throw diskError(error, file);
    }
  };
  if (length === 0) add(key);
  return { readings, add, close: () => closeSync(fd) };
}

const nothing = { readings: [], length: 0 };

/** What counts of a file, and how many bytes that is. */
function readBack(bytes: Buffer, key: string): { readings: unknown[]; length: number } {
  const values: unknown[] = [];
  let length = 0;
  for (let start = 0; ; start = length) {
    const end = bytes.indexOf('\n', start) + 1;
    const line = bytes.toString('utf8', start, end);
    const text = line.slice(checksumLength + 1, -1);
    if (end === 0 || line !== withChecksum(text)) break;
    values.push(JSON.parse(text));
    length = end;
  }
  const [found, ...readings] = values;
  return found === key ? { readings, length } : nothing;
}

const checksumLength = 16;

function withChecksum(text: string): string {
  const checksum = createHash('sha256').update(text).digest('hex').slice(0, checksumLength);
  return `${checksum} ${text}\n`;
}
