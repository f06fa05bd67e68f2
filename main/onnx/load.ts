import { dirname } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import { openBytes, openInside, type Bytes } from '../formats/files.ts';
import type { Source } from './cursor.ts';
import { decodeModelMessage } from './decode.ts';
import { externalReader, type OpenExternal } from './external.ts';
import type { Model } from './model.ts';
import { readMessage } from './wire.ts';

/** A model whose weights are read from its files until it is closed. */
export interface LoadedModel extends Model {
  /** Paths of the files it is read from, the graph's first. */
  readonly files: readonly string[];
  close(): void;
}

/**
 * Reads the graph of a model; weights stay in the file, or in others of its folder, until asked
 * for. Throws `file_malformed` (with the offset) for bytes that are no protobuf, `graph_invalid`
 * for a model that is none and `path_refused` for external data that leads out of the folder.
 */
export function loadModel(path: string): LoadedModel {
  const files: Bytes[] = [];
  const opened = (bytes: Bytes): Bytes => {
    files.push(bytes);
    return bytes;
  };
  const close = (): void => {
    for (const file of files.splice(0)) file.close();
  };
  try {
    const folder = dirname(path);
    const source = opened(openBytes(path));
    const model = decode(source, (location) => opened(openInside(folder, location)));
    return { ...model, files: files.map((file) => file.path), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads a model from memory; `origin` names it in errors. External data is refused. */
export function decodeModel(bytes: Uint8Array, origin: string): Model {
  const source: Source = {
    length: bytes.length,
    path: origin,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
  return decode(source, (location) => {
    const reason = 'a model in memory has no folder to hold external data';
    throw new LatheError('path_refused', `${reason}: ${location}`, { file: origin });
  });
}

function decode(source: Source, open: OpenExternal): Model {
  const { wire, offsets } = readMessage('Model', source);
  const external = externalReader(source.path, open);
  return decodeModelMessage(wire, { file: source.path, offsets, external });
}
