import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import { parseData, type DataSet } from '../evaluation/dataset.ts';
import { formatOf, type ProtocolOptions } from '../evaluation/protocols.ts';
import { readFile } from '../formats/files.ts';
import { textOf } from '../formats/text.ts';

/** Larger sets are not for measuring on one machine. */
const MAX_DATA_BYTES = 64 * 2 ** 20;

/** A set that ships with Lathe, by its name, else an absolute path. */
export function dataFile(resources: string, data: string): string {
  if (/^[a-z0-9-]+$/.test(data)) {
    const paths = ['txt', 'json', 'jsonl', 'tsv'].map((ending) =>
      join(resources, 'evaluation', `${data}.${ending}`),
    );
    const shipped = paths.find((path) => existsSync(path));
    if (shipped !== undefined) return shipped;
  }
  if (isAbsolute(data) && existsSync(data)) return data;
  throw new LatheError('file_missing', `there is no data set and no file of this name: ${data}`, {
    file: data,
    value: data,
  });
}

/** The items of a file as the metrics of a request read them, and the sha256 of its bytes. */
export function readData(
  file: string,
  request: ProtocolOptions,
): { data: DataSet; sha256: string } {
  const bytes = readFile(file, MAX_DATA_BYTES);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { data: parseData(textOf(bytes, file, 'data'), file, formatOf(request)), sha256 };
}
