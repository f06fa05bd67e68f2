import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { EngineClient } from '../../preload/contract/index.ts';
import { modelFolderAt } from '../library/modelFolder.ts';
import { isFile, typedPath, UsageError } from './arguments.ts';

/**
 * What `<model>` means: a path where it is written as one, else a name of the library, else a
 * folder of that name.
 */
export async function modelOf(typed: string, client: EngineClient): Promise<string> {
  const path = modelFolderAt(typedPath(typed));
  refuseFile(path);
  if (isAbsolute(typed) || /^\.{1,2}([/\\]|$)/.test(typed)) return path;
  if (!existsSync(join(path, 'config.json'))) return typed;
  const models = await client.models.list();
  return models.some((model) => model.name === typed) ? typed : path;
}

/** A model is a folder: says so of a file, and of GGUF what to do. */
export function refuseFile(path: string): void {
  if (!isFile(path)) return;
  const why = /\.gguf$/i.test(path)
    ? 'GGUF is not read, take the folder in Hugging Face layout that it was made of'
    : 'a model is a folder, not a file';
  throw new UsageError(`${why}: ${path}`);
}

/** The name of a model that was asked for by name or folder; undefined where nobody knows it yet. */
export async function nameOf(asked: string, client: EngineClient): Promise<string | undefined> {
  const models = await client.models.list();
  return models.find(({ name, folder }) => name === asked || folder === asked)?.name;
}
