import { LatheError } from '../../preload/contract/errors.ts';
import type { Bytes } from '../formats/files.ts';
import { checkRelativePath } from '../formats/paths.ts';
import type { Context } from './context.ts';
import type { Wire } from './schema.ts';

/** Keys that ONNX defines (ExternalDataSecurity.md); any other may mean something to a runtime. */
const KEYS = new Set(['location', 'offset', 'length', 'checksum', 'basepath']);

/** Opens a file by its path inside the model's folder. */
export type OpenExternal = (location: string) => Bytes;

/**
 * Finds the bytes that external_data names, inside the folder of the model `file`. The same file
 * is opened once.
 */
export function externalReader(file: string, open: OpenExternal): Context['external'] {
  const opened = new Map<string, Bytes>();
  const accepted = new Map<string, string>();
  return (entries, expected) => {
    const { location, offset, length = expected } = readEntries(file, entries);
    checkRelativePath(location, accepted);
    if (length !== expected) {
      throw refusal(file, 'external length does not match the shape', String(length));
    }
    const bytes = opened.get(location) ?? open(location);
    opened.set(location, bytes);
    if (offset + length > bytes.length) {
      const place = `${location} has ${bytes.length} bytes`;
      throw refusal(file, 'external data ends beyond its file', `${offset} + ${length}, ${place}`);
    }
    // Who maps the file follows no link: the runtime refuses one that leads out of a folder.
    const place = { file: bytes.target ?? bytes.path, offset };
    return { length, place, read: () => bytes.read(offset, length) };
  };
}

function readEntries(
  file: string,
  entries: readonly Wire<'StringStringEntry'>[],
): { location: string; offset: number; length?: number } {
  const values = new Map<string, string>();
  for (const { key = '', value = '' } of entries) {
    if (!KEYS.has(key)) throw refusal(file, 'unknown key of external data', key);
    if (values.has(key)) throw refusal(file, 'key of external data given twice', key);
    values.set(key, value);
  }
  const base = values.get('basepath') ?? '';
  const location = values.get('location') ?? '';
  const length = values.get('length');
  return {
    location: base === '' ? location : `${base}/${location}`,
    offset: wholeNumber(file, 'offset', values.get('offset') ?? '0'),
    ...(length === undefined ? {} : { length: wholeNumber(file, 'length', length) }),
  };
}

/** Decimal digits: no sign, space or hexadecimal. Numbers too large to be exact end beyond any file. */
function wholeNumber(file: string, key: string, digits: string): number {
  if (!/^\d+$/.test(digits)) {
    throw refusal(file, `external ${key} is not a number of bytes`, digits);
  }
  return Number(digits);
}

const refusal = (file: string, reason: string, value: string): LatheError =>
  new LatheError('graph_invalid', `${reason}: ${value.slice(0, 200)}`, {
    file,
    value: value.slice(0, 200),
  });
