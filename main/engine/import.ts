import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import type { ImportEvent } from '../../preload/contract/models.ts';
import { modelNameOf } from '../formats/downloadCache.ts';
import { checkFolderName } from '../formats/paths.ts';
import { checkSpace, copyDurably } from '../library/copy.ts';
import { temporaryFolder } from '../library/folders.ts';
import type { Manifest } from '../library/manifest.ts';
import { modelFiles } from '../library/modelFiles.ts';
import { modelFolderAt } from '../library/modelFolder.ts';
import type { Core } from './core.ts';
import { hashAll, inspect, manifestOf } from './openModel.ts';
import { progressOf } from './progress.ts';

/**
 * Copies a model folder into the library. The folder is read first, so that what is wrong with it
 * is said of the user's own files; the copy gets its name only when it is complete. A folder that
 * was opened where it lies gives the copy its name, and its place in the list.
 */
export async function* importModel(
  core: Core,
  request: { path: string; name?: string | undefined },
  signal?: AbortSignal,
): AsyncGenerator<ImportEvent> {
  if (!isAbsolute(request.path)) {
    throw new LatheError('usage', `the path to import must be absolute: ${request.path}`, {
      value: request.path,
    });
  }
  const source = modelFolderAt(resolve(request.path));
  // Links that leave the folder are refused before anything behind them is read.
  modelFiles(source);
  const opened = core.library.models.opened(realpathSync(source));
  const name = request.name ?? opened?.record.name ?? modelNameOf(source);
  checkFolderName(name);
  core.library.models.checkFree(name, opened?.record.folder);
  yield { kind: 'progress', stage: 'reading' };
  const inspection = await inspect(core, source, name, signal);
  const temporary = temporaryFolder(core.library.home.models);
  let manifest: Manifest;
  try {
    const files = yield* progressOf(async (report) => {
      await copyAll(core, source, temporary, report, signal);
      return hashAll(core, temporary, modelFiles(temporary), {
        signal,
        onProgress: report,
      });
    });
    const identity = { name, source: 'library', folder: temporary } as const;
    manifest = core.library.models.add(
      temporary,
      manifestOf(inspection, files, identity),
      opened?.record.folder,
    );
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  core.tell({ kind: 'models-changed' });
  yield { kind: 'done', model: manifest.record };
}

async function copyAll(
  core: Core,
  source: string,
  target: string,
  report: (stage: string, fraction: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const files = modelFiles(source);
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  await checkSpace(core.library.home.models, total);
  let done = 0;
  const onBytes = (count: number): void => {
    done += count;
    report('copying', done / total);
  };
  for (const { name } of files) {
    signal?.throwIfAborted();
    mkdirSync(dirname(join(target, name)), { recursive: true });
    await copyDurably(join(source, name), join(target, name), { signal, onBytes });
  }
}
