import { createHash } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { LatheError } from '../../../preload/contract/errors.ts';
import type { Kept } from '../../evaluation/kept.ts';
import { diskError } from '../../library/folders.ts';

/** A file of readings that is open to be added to. */
export interface KeptReadings extends Kept {
  close(): void;
}

/** What the lines are written as; whoever changes that counts on. */
const format = 1;

/** The first line, the same in every format; before there were numbers it was the key alone. */
const headSchema = z.union([
  z.object({ format: z.int(), key: z.string() }),
  z.string().transform((key) => ({ format: 0, key })),
]);

const fileIn = (work: string): string => join(work, 'readings.jsonl');

/**
 * Readings of items in the folder of a job, a line each behind a first one with the format and the
 * key of what is measured. Every line begins with its checksum: one that was torn, or that belongs
 * to another key, ends what counts, and what is behind it is cut off. Throws `file_malformed` for
 * what a newer Lathe wrote.
 */
export function openReadings(work: string, key: string): KeptReadings {
  const file = fileIn(work);
  const { head, readings: found, length: end } = readBack(file);
  const [readings, length] = head?.key === key ? [found, end] : [[], 0];
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
  if (length === 0) add({ format, key });
  return { readings, add, close: () => closeSync(fd) };
}

/** Throws `file_malformed` where the readings of a job were written by a newer Lathe. */
export const refuseNewerReadings = (work: string): void => void readBack(fileIn(work));

/** What is whole of a file, and how many bytes that is. */
function readBack(file: string) {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.of();
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
  const [first, ...readings] = values;
  const head = headSchema.safeParse(first).data;
  if (head !== undefined && head.format > format) {
    throw new LatheError(
      'file_malformed',
      `the readings were written by a newer Lathe (format ${head.format}, this one knows ${format}): ${file}`,
      { file, value: String(head.format) },
    );
  }
  return { head, readings, length };
}

const checksumLength = 16;

function withChecksum(text: string): string {
  const checksum = createHash('sha256').update(text).digest('hex').slice(0, checksumLength);
  return `${checksum} ${text}\n`;
}
