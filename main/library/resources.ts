import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LatheError } from '../../preload/contract/errors.ts';

/**
 * The folder of what ships with Lathe. This file stands in main/library, in out/main or in a
 * folder of chunks below that, and beside the resources in a packaged application.
 */
export function resourcesPath(): string {
  const candidates = ['../../resources/', '../../../resources/', '../../../../resources/'].map(
    (path) => fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(join(path, 'presets.json')));
  if (found === undefined) {
    throw new LatheError('file_missing', `Lathe's own resources are not there: ${candidates[0]}`, {
      ...(candidates[0] === undefined ? {} : { file: candidates[0] }),
      next: ['report'],
    });
  }
  return found;
}
