import { dirname, join } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import { openInside, readFile } from './files.ts';
import { parseJson, type JsonValue } from './json.ts';
import type { NamedTensor, NamedTensors } from './namedTensors.ts';
import { openSafetensors, safetensorsOf } from './safetensors.ts';

/** An index names each tensor once: this is room for 100,000 of them with long names. */
const MAX_INDEX_BYTES = 32 * 1024 * 1024;

/** More files than any published model has; each stays open while the model is read. */
const MAX_SHARDS = 1024;

const SINGLE_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';

/**
 * The weights of a model folder in Hugging Face layout: `model.safetensors`, or the files that
 * `model.safetensors.index.json` lists. `file_missing` where there is neither.
 */
export function openWeights(folder: string): NamedTensors {
  try {
    return openSafetensors(join(folder, SINGLE_FILE));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  try {
    return openShards(join(folder, INDEX_FILE));
  } catch (error) {
    if (!isMissing(error, join(folder, INDEX_FILE))) throw error;
    throw new LatheError(
      'file_missing',
      `no weights in this folder, neither ${SINGLE_FILE} nor ${INDEX_FILE}: ${folder}`,
      { file: join(folder, SINGLE_FILE), next: ['open-folder'] },
    );
  }
}

/**
 * The tensors of all files that an index lists. The names of the files must stay inside the folder
 * of the index (`path_refused`), and every tensor must be in the file the index says
 * (`tensor_missing`).
 */
function openShards(indexFile: string): NamedTensors {
  const places = readIndex(indexFile);
  const folder = dirname(indexFile);
  const shards = new Map<string, NamedTensors>();
  const close = (): void => {
    for (const shard of shards.values()) shard.close();
  };
  try {
    for (const file of new Set(places.values())) {
      shards.set(file, safetensorsOf(openInside(folder, file)));
    }
    const tensors = new Map<string, NamedTensor>();
    for (const [name, file] of places) {
      const tensor = shards.get(file)?.get(name);
      if (tensor === undefined) {
        throw new LatheError(
          'tensor_missing',
          `tensor ${name} is not in the file the index names: ${file}`,
          {
            file: join(folder, file),
            tensor: name,
          },
        );
      }
      tensors.set(name, tensor);
    }
    return { path: indexFile, names: [...tensors.keys()], get: (name) => tensors.get(name), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Tensor name → file name. */
function readIndex(file: string): Map<string, string> {
  const fail = (message: string, value: JsonValue = null): LatheError =>
    new LatheError(
      'file_malformed',
      `${message}: ${JSON.stringify(value).slice(0, 200)} (${file})`,
      {
        file,
        value: JSON.stringify(value).slice(0, 200),
      },
    );
  const index = parseJson(readFile(file, MAX_INDEX_BYTES), { file, offset: 0 });
  if (!(index instanceof Map)) throw fail('index of shards must be an object', index);
  const map = index.get('weight_map');
  if (!(map instanceof Map)) throw fail('weight_map must be an object', map);
  const places = new Map<string, string>();
  for (const [name, shard] of map) {
    if (typeof shard !== 'string') throw fail(`weight_map must name a file for ${name}`, shard);
    places.set(name, shard);
  }
  const count = new Set(places.values()).size;
  if (count > MAX_SHARDS) throw fail(`index may name at most ${MAX_SHARDS} files`, count);
  return places;
}

/** Whether a file is missing: any, or this one. */
function isMissing(error: unknown, file?: string): boolean {
  return (
    error instanceof LatheError &&
    error.code === 'file_missing' &&
    // A file that is there and may not be opened is no missing one.
    error.data.value === 'ENOENT' &&
    (file === undefined || error.data.file === file)
  );
}
