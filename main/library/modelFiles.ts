import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import { isInDownloadCache } from '../formats/downloadCache.ts';
import { isCode } from './folders.ts';

/** A file that belongs to a model folder. */
export interface ModelFile {
  readonly name: string;
  readonly bytes: number;
  /** `text` files (card, licence) may change freely; the others decide what the model says. */
  readonly role: 'weights' | 'settings' | 'text';
}

/** Settings that Lathe reads, and their sidecars that other tools read. */
const settingsNames = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'model.safetensors.index.json',
]);

const singleWeights = 'model.safetensors';
const shardIndex = 'model.safetensors.index.json';

/** Where transformers.js looks for graphs. */
const graphFolder = 'onnx';

/** `model.onnx`, `onnx/model_q4.onnx`, and the weights beside: `model.onnx.data`, `model.onnx_data_1`. */
const graphName = /^(?:onnx\/)?model[\w-]*\.onnx$/;
const graphDataName = /^((?:onnx\/)?model[\w-]*\.onnx)[._]data(?:_\d+)?$/;

/** Of several graphs of one model, the one as it was before others were made from it. */
const preferred = ['model.onnx', 'onnx/model.onnx'];

/** What a file of this name is for; null for files that Lathe leaves alone. */
export function roleOf(name: string): ModelFile['role'] | null {
  if (settingsNames.has(name)) return 'settings';
  if (name.endsWith('.safetensors')) return 'weights';
  if (graphName.test(name) || graphDataName.test(name)) return 'weights';
  if (/^(readme|licen[sc]e|notice)(\.md|\.txt)?$/i.test(name)) return 'text';
  return null;
}

/** The graph among the files of a model; null where its weights are safetensors. */
export function graphNameIn(files: readonly Pick<ModelFile, 'name'>[]): string | null {
  const names = files.map((file) => file.name);
  if (names.includes(singleWeights) || names.includes(shardIndex)) return null;
  const graphs = names.filter((name) => graphName.test(name));
  return preferred.find((name) => graphs.includes(name)) ?? graphs[0] ?? null;
}

/** Whether a folder looks like a model in Hugging Face layout. */
export function isModelFolder(folder: string): boolean {
  try {
    return lstatSync(join(folder, 'config.json'), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isCode(error, 'EACCES', 'EPERM', 'ENOTDIR')) return false;
    throw error;
  }
}

/**
 * The files of a model folder, by name; everything else in it is left alone. Throws
 * `file_missing` where there is no such folder, it may not be read, or no config.json is in it, and
 * `path_refused` for a link that leads elsewhere.
 */
export function modelFiles(folder: string): ModelFile[] {
  const root = realFolder(folder);
  const names = [...namesIn(root), ...graphNames(root)].toSorted();
  const files = names.flatMap((name): ModelFile[] => {
    const role = roleOf(name);
    return role === null
      ? []
      : [{ name, bytes: regularSize(root, join(folder, name), name), role }];
  });
  const used = files.filter((file) => file.role !== 'weights' || isUsed(file.name, files));
  if (!used.some((file) => file.name === 'config.json')) {
    const file = join(folder, 'config.json');
    throw new LatheError('file_missing', `not a model folder, config.json is missing: ${folder}`, {
      file,
      next: ['open-folder'],
    });
  }
  return used;
}

/** Beside the weights that are used, others are another format's copy of the same. */
function isUsed(name: string, files: readonly ModelFile[]): boolean {
  if (files.some((file) => file.name === singleWeights)) return name === singleWeights;
  const graph = graphNameIn(files);
  if (graph === null) return name.endsWith('.safetensors');
  return name === graph || graphDataName.exec(name)?.[1] === graph;
}

function graphNames(root: string): string[] {
  const folder = join(root, graphFolder);
  // A link may lead anywhere: what is behind it is not looked at.
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return namesIn(folder).map((name) => `${graphFolder}/${name}`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (!isCode(error, 'EACCES', 'EPERM')) throw error;
    throw new LatheError('file_missing', `no permission to read the folder: ${folder}`, {
      file: folder,
      next: ['open-folder'],
    });
  }
}

function realFolder(folder: string): string {
  try {
    const real = realpathSync(folder);
    if (lstatSync(real).isDirectory()) return real;
  } catch (error) {
    if (!isCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG')) throw error;
  }
  throw new LatheError('file_missing', `no such folder: ${folder}`, {
    file: folder,
    next: ['open-folder'],
  });
}

function regularSize(root: string, path: string, name: string): number {
  let real: string;
  try {
    real = realpathSync(join(root, name));
  } catch (error) {
    if (!isCode(error, 'ENOENT', 'ELOOP')) throw error;
    throw new LatheError('file_missing', `link that leads nowhere: ${path}`, { file: path });
  }
  if (!real.startsWith(root + sep) && !isInDownloadCache(root, real)) {
    throw new LatheError('path_refused', `link that leaves the model's folder: ${path} → ${real}`, {
      file: path,
      value: real,
    });
  }
  const stat = lstatSync(real);
  if (!stat.isFile()) {
    throw new LatheError('file_malformed', `not a regular file: ${path}`, { file: path });
  }
  return stat.size;
}
