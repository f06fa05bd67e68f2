import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readFile } from '../formats/files.ts';
import { checkFolderName } from '../formats/paths.ts';
import { isModelFolder } from './modelFiles.ts';

/** A branch's file holds a commit's hash, or a name. */
const longestRevision = 255;

/**
 * The folder with the model's files that a path means: for a repository in Hugging Face's download
 * cache the revision that its main branch is at, else the path itself. Throws `path_refused` for a
 * revision that is no folder's name.
 */
export function modelFolderAt(path: string): string {
  const branch = join(path, 'refs', 'main');
  if (isModelFolder(path) || !existsSync(branch)) return path;
  const revision = new TextDecoder().decode(readFile(branch, longestRevision)).trim();
  checkFolderName(revision);
  return join(path, 'snapshots', revision);
}
