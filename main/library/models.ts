import { readdirSync, rmdirSync, rmSync, mkdirSync, existsSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import { modelNameOf } from '../formats/downloadCache.ts';
import type { Database } from './database.ts';
import { isTemporary, publishFolder, sweep } from './folders.ts';
import type { Home } from './home.ts';
import { parseManifest, readManifest, writeManifest, type Manifest } from './manifest.ts';
import { isModelFolder } from './modelFiles.ts';
import { suggestion } from './nearest.ts';

/** Which models there are. Nothing here reads a model file: manifests say it all. */
export interface ModelStore {
  /** Folders that ship with Lathe. */
  embedded(): string[];
  /** Manifest of a model used where it lies; null when it was never opened. */
  opened(folder: string): Manifest | null;
  /** Records a model used where it lies, under its own name or the next free one. */
  remember(manifest: Manifest): Manifest;
  /** Imported models, variants and opened folders. */
  list(): Manifest[];
  find(name: string): Manifest | null;
  /** Throws `already_exists` when a model of this name is there, other than the one opened at `source`. */
  checkFree(name: string, source?: string): void;
  isTaken(name: string): boolean;
  /**
   * Publishes a folder that was made inside `incoming`; `already_exists` when the name is taken. A
   * model of this name that was opened at `source` is forgotten: this is its copy.
   */
  add(temporary: string, manifest: Manifest, source?: string): Manifest;
  /**
   * Moves an imported model to the trash; forgets an opened one, by its name or its folder. Gives
   * the id to restore it by.
   */
  remove(model: string): string;
  restore(trashId: string): Manifest;
}

export function modelStore(
  home: Home,
  database: Database,
  resources: string,
  warn: (message: string) => void,
): ModelStore {
  const embeddedRoot = join(resources, 'models');
  sweep(home.models);
  sweep(home.trash);

  const inLibrary = (name: string): Manifest[] => {
    const folder = placeOf(home, name);
    const manifest = readable(folder, warn);
    return manifest === null ? [] : [placed(manifest, name, folder)];
  };
  const imported = (): Manifest[] => folderNames(home.models).flatMap(inLibrary);
  const variants = (): Manifest[] =>
    folderNames(home.variants).flatMap((model) =>
      folderNames(join(home.variants, model)).flatMap((name) => inLibrary(`${model}/${name}`)),
    );

  const openedRows = (): Manifest[] =>
    database
      .all('SELECT folder, manifest FROM opened')
      .map((row) => parseManifest(String(row['manifest']), String(row['folder'])));

  const list = (): Manifest[] => [
    ...imported(),
    ...variants(),
    ...openedRows().filter((manifest) => manifest.record.source === 'folder'),
  ];

  const find = (name: string): Manifest | null =>
    list().find((manifest) => manifest.record.name === name) ?? null;

  const openedAt = (folder: string): Manifest | null =>
    list().find(({ record }) => record.source === 'folder' && record.folder === folder) ?? null;

  const isTaken = (name: string, source?: string): boolean =>
    existsSync(placeOf(home, name)) ||
    (!name.includes('/') && existsSync(join(embeddedRoot, name))) ||
    list().some(({ record }) => record.name === name && record.folder !== source);

  const forget = (folder: string): void => {
    database.run('DELETE FROM opened WHERE folder = ?', folder);
  };

  const publish = (temporary: string, folder: string, name: string): void => {
    mkdirSync(dirname(folder), { recursive: true });
    try {
      if (!publishFolder(temporary, folder)) throw taken(name);
    } finally {
      removeEmpty(home, dirname(folder));
    }
  };

  const store: ModelStore = {
    embedded: () =>
      folderNames(embeddedRoot)
        .map((name) => join(embeddedRoot, name))
        .filter(isModelFolder),

    opened(folder) {
      const row = database.get('SELECT manifest FROM opened WHERE folder = ?', folder);
      return row === undefined ? null : parseManifest(String(row['manifest']), folder);
    },

    remember(manifest) {
      return database.transaction(() => {
        const { record } = manifest;
        const before = store.opened(record.folder);
        const name =
          before?.record.name ??
          (record.source === 'embedded'
            ? record.name
            : freeName(modelNameOf(record.folder), isTaken));
        const kept = { ...manifest, record: { ...record, name } };
        database.run(
          'INSERT OR REPLACE INTO opened (folder, manifest) VALUES (?, ?)',
          record.folder,
          JSON.stringify(kept),
        );
        return kept;
      });
    },

    list,
    find,

    checkFree(name, source) {
      if (isTaken(name, source)) throw taken(name);
    },

    isTaken: (name) => isTaken(name),

    add(temporary, manifest, source) {
      const { name } = manifest.record;
      const folder = placeOf(home, name);
      store.checkFree(name, source);
      const kept = placed(manifest, name, folder);
      writeManifest(temporary, kept);
      publish(temporary, folder, name);
      if (source !== undefined && store.opened(source)?.record.name === name) forget(source);
      return kept;
    },

    remove(model) {
      const manifest = find(model) ?? openedAt(model);
      if (manifest === null) {
        const isShipped = (folder: string): boolean => [folder, basename(folder)].includes(model);
        if (store.embedded().some(isShipped)) throw shipped(model);
        throw noModel(
          model,
          list().map(({ record }) => record.name),
        );
      }
      const trashId = randomUUID();
      const grave = join(home.trash, trashId);
      if (manifest.record.source === 'library') {
        if (!publishFolder(manifest.record.folder, grave)) throw taken(trashId);
        removeEmpty(home, dirname(manifest.record.folder));
      } else {
        mkdirSync(grave);
        writeManifest(grave, manifest);
        forget(manifest.record.folder);
      }
      return trashId;
    },

    restore(trashId) {
      const grave = join(home.trash, trashId);
      const manifest = /^[0-9a-f-]{36}$/.test(trashId) ? readManifest(grave) : null;
      if (manifest === null) {
        throw new LatheError('not_found', `nothing in the trash under this id: ${trashId}`, {
          value: trashId,
        });
      }
      const { name, source } = manifest.record;
      if (source === 'folder') {
        const kept = store.remember(manifest);
        rmSync(grave, { recursive: true });
        return kept;
      }
      store.checkFree(name);
      const folder = placeOf(home, name);
      publish(grave, folder, name);
      return placed(manifest, name, folder);
    },
  };
  return store;
}

const shipped = (name: string): LatheError =>
  new LatheError('usage', `a model that ships with Lathe cannot be removed: ${name}`, {
    value: name,
  });

const taken = (name: string): LatheError =>
  new LatheError('already_exists', `a model of this name is in the library: ${name}`, {
    value: name,
  });

/** With names of models that are there, the nearest is told. */
export const noModel = (name: string, known: readonly string[] = []): LatheError =>
  new LatheError(
    'not_found',
    `no model of this name in the library, and no such folder: ${name}${suggestion(name, known)}`,
    { value: name, next: ['choose-model'] },
  );

/** The folder of a model of the library; a variant's name has the name of its model before it. */
const placeOf = (home: Home, name: string): string =>
  join(name.includes('/') ? home.variants : home.models, name);

/** The folder of a model's variants goes with the last of them. */
function removeEmpty(home: Home, parent: string): void {
  if (dirname(parent) === home.variants && readdirSync(parent).length === 0) rmdirSync(parent);
}

/** One damaged manifest must not hide all other models. */
function readable(folder: string, warn: (message: string) => void): Manifest | null {
  try {
    return readManifest(folder);
  } catch (error) {
    if (!(error instanceof LatheError)) throw error;
    warn(error.message);
    return null;
  }
}

/** A model's name and place are those of its folder, wherever the library was moved to. */
function placed(manifest: Manifest, name: string, folder: string): Manifest {
  return { ...manifest, record: { ...manifest.record, name, folder, source: 'library' } };
}

function folderNames(parent: string): string[] {
  if (!isAbsolute(parent) || !existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !isTemporary(entry.name))
    .map((entry) => entry.name)
    .toSorted();
}

/** The name, or the next one that is not taken: `name-2`. */
export function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(wanted)) return wanted;
  for (let number = 2; ; number++) {
    const name = `${wanted}-${number}`;
    if (!isTaken(name)) return name;
  }
}
