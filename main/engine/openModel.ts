import { realpathSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import type { ModelRecord, Progress } from '../../preload/contract/models.ts';
import { modelNameOf } from '../formats/downloadCache.ts';
import { hashFile, identify } from '../library/hashes.ts';
import { weightsHash, type FileHash, type Manifest } from '../library/manifest.ts';
import { modelFiles, roleOf, type ModelFile } from '../library/modelFiles.ts';
import { modelFolderAt } from '../library/modelFolder.ts';
import { noModel } from '../library/models.ts';
import type { Core } from './core.ts';
import { progressOf } from './progress.ts';
import type { Inspection } from './runner/contract.ts';

interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (stage: string, fraction: number) => void;
}

const namesIn = ({ library: { models } }: Core): string[] => [
  ...models.embedded().map((folder) => basename(folder)),
  ...models.list().map(({ record }) => record.name),
];

/**
 * The model that a name or an absolute folder means, its files verified against what was recorded.
 * A folder given by its path is read as it stands now; a model given by its name must be the one
 * that was recorded, or it is `file_changed`.
 */
export async function openModel(
  core: Core,
  model: string,
  options: OpenOptions = {},
): Promise<Manifest> {
  const embedded = core.library.models.embedded().find((folder) => basename(folder) === model);
  if (embedded !== undefined) return readFolder(core, embedded, 'embedded', options);
  const recorded = core.library.models.find(model);
  if (recorded !== null) {
    await verify(core, recorded, options);
    return recorded;
  }
  if (!isAbsolute(model)) throw noModel(model, namesIn(core));
  const folder = realFolder(modelFolderAt(model));
  const inLibrary = core.library.models.list().find(({ record }) => record.folder === folder);
  if (inLibrary?.record.source === 'library')
    return openModel(core, inLibrary.record.name, options);
  if (core.library.models.embedded().includes(folder)) {
    return readFolder(core, folder, 'embedded', options);
  }
  return readFolder(core, folder, 'folder', options);
}

/** `openModel` as part of a stream. */
export const opening = (
  core: Core,
  model: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Progress, Manifest> =>
  progressOf((onProgress) => openModel(core, model, { signal, onProgress }));

/** Every model there is; embedded ones are looked at when they are new or changed. */
export async function listModels(core: Core): Promise<ModelRecord[]> {
  const embedded = await Promise.all(
    core.library.models.embedded().map((folder) => readFolder(core, folder, 'embedded', {})),
  );
  return [...embedded, ...core.library.models.list()].map(({ record }) => record);
}

/** What there is to know about a folder's files, without recording it. */
export async function describe(
  core: Core,
  folder: string,
  identity: { name: string; source: ModelRecord['source'] },
  options: OpenOptions,
): Promise<Manifest> {
  const found = modelFiles(folder);
  const inspection = await inspect(core, folder, identity.name, options.signal);
  const files = await hashAll(core, folder, found, options);
  return manifestOf(inspection, files, { ...identity, folder });
}

/** Reads a folder's files as its runner does; refuses what cannot be a model, with a typed error. */
export const inspect = (
  core: Core,
  folder: string,
  name: string,
  signal?: AbortSignal,
): Promise<Inspection> =>
  core.supervisor.ask({ folder, name }, (client) => client.inspect({ folder }), signal);

export function manifestOf(
  inspection: Inspection,
  files: FileHash[],
  { name, source, folder }: { name: string; source: ModelRecord['source']; folder: string },
): Manifest {
  const { architecture, parameters, bytes, precision } = inspection;
  const { contextLength, vocabularySize, licence, chatTemplate } = inspection;
  return {
    sizes: inspection.sizes,
    files,
    record: {
      name,
      parent: null,
      architecture,
      parameters,
      bytes,
      precision,
      contextLength,
      vocabularySize,
      hasChatTemplate: chatTemplate !== null,
      source,
      folder,
      licence,
      sha256: weightsHash(files),
      addedAt: Date.now(),
    },
  };
}

async function readFolder(
  core: Core,
  folder: string,
  source: 'embedded' | 'folder',
  options: OpenOptions,
): Promise<Manifest> {
  const before = core.library.models.opened(folder);
  if (before && (await changedFile(core, before, options)) === null) return before;
  const identity = { name: before?.record.name ?? modelNameOf(folder), source };
  const described = await describe(core, folder, identity, options);
  const manifest = core.library.models.remember(described);
  core.tell({ kind: 'models-changed' });
  return manifest;
}

async function verify(core: Core, manifest: Manifest, options: OpenOptions): Promise<void> {
  const file = await changedFile(core, manifest, options);
  if (file === null) return;
  throw new LatheError(
    'file_changed',
    `${manifest.record.name} is not what was recorded, a file changed: ${file}`,
    { file, next: ['open-folder', 'choose-model'] },
  );
}

/** The first file that is not as the manifest says, null when all are. The card may change freely. */
async function changedFile(
  core: Core,
  { record, files }: Manifest,
  options: OpenOptions,
): Promise<string | null> {
  const now = modelFiles(record.folder).filter((file) => file.role !== 'text');
  const recorded = new Map(files.map((file) => [file.name, file]));
  const added = now.find((file) => !recorded.has(file.name));
  if (added) return join(record.folder, added.name);
  const present = new Set(now.map((file) => file.name));
  const hashes = await hashAll(core, record.folder, now, options);
  const changed = hashes.find((file) => recorded.get(file.name)?.sha256 !== file.sha256);
  if (changed) return join(record.folder, changed.name);
  const gone = files.find((file) => !present.has(file.name) && roleOf(file.name) !== 'text');
  return gone ? join(record.folder, gone.name) : null;
}

/** sha256 of files; those that are known and unchanged are not read again. */
export async function hashAll(
  core: Core,
  folder: string,
  files: readonly ModelFile[],
  { signal, onProgress }: OpenOptions,
): Promise<FileHash[]> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let done = 0;
  const hashes: FileHash[] = [];
  for (const { name, bytes } of files) {
    const path = join(folder, name);
    let sha256 = core.library.hashes.recorded(path);
    if (sha256 === null) {
      const identity = identify(path);
      const onBytes = (count: number): void => {
        done += count;
        onProgress?.('checking files', done / total);
      };
      sha256 = await hashFile(path, { signal, onBytes });
      core.library.hashes.record(path, identity, sha256);
    } else {
      done += bytes;
    }
    hashes.push({ name, bytes, sha256 });
  }
  return hashes;
}

function realFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    throw noModel(path);
  }
}
