import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LatheError } from '../../../preload/contract/errors.ts';
import { readFile } from '../../formats/files.ts';
import { textOf } from '../../formats/text.ts';

/** The tokenizer's own limit on a text is as high. */
const MAX_TEXT_BYTES = 16 * 2 ** 20;

const setName = /^[a-z0-9-]+$/;

/** Names of the sets that ship with Lathe: `resources/calibration/{name}.txt`. */
export function calibrationSets(resources: string): string[] {
  return readdirSync(join(resources, 'calibration'))
    .flatMap((file) => (file.endsWith('.txt') ? [file.slice(0, -'.txt'.length)] : []))
    .toSorted();
}

/**
 * The text of a built-in set or of a file in UTF-8. `file_missing` where there is neither, naming
 * the sets; `file_malformed` for bytes that are no UTF-8; `file_too_large` beyond 16 MB.
 */
export function calibrationText(data: string, resources: string): string {
  const builtIn = join(resources, 'calibration', `${data}.txt`);
  const file = setName.test(data) && existsSync(builtIn) ? builtIn : data;
  if (!existsSync(file)) {
    const sets = calibrationSets(resources).join(', ');
    throw new LatheError(
      'file_missing',
      `there is no calibration set (${sets}) and no text file of this name: ${data}`,
      { file: data, value: data },
    );
  }
  return textOf(readFile(file, MAX_TEXT_BYTES), file, 'calibration text');
}
