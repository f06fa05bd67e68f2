import { basename, dirname, join } from 'node:path';

// Hugging Face's download cache keeps a repository as `models--<owner>--<name>`: files under their
// hashes in `blobs`, links to them in `snapshots/<revision>`, branches in `refs`.

/** Whether a file is one that the links of this model folder may lead to. Both paths are real ones. */
export function isInDownloadCache(folder: string, file: string): boolean {
  const blobs = dirname(file);
  if (basename(blobs) !== 'blobs') return false;
  const snapshots = join(dirname(blobs), 'snapshots');
  // A revision, or a folder in it: graphs lie in `onnx`.
  return dirname(folder) === snapshots || dirname(dirname(folder)) === snapshots;
}

/** What a model folder is called: by its own name, a revision by that of its repository. */
export function modelNameOf(folder: string): string {
  const repository = basename(dirname(dirname(folder)));
  const [kind, ...names] = repository.split('--');
  const isRevision = basename(dirname(folder)) === 'snapshots' && kind === 'models';
  return (isRevision && names.at(-1)) || basename(folder);
}
