import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import type { Circumstances } from '../../preload/contract/circumstances.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import type { FolderListing, SystemInfo } from '../../preload/contract/system.ts';
import { isCode } from '../library/folders.ts';
import { isModelFolder } from '../library/modelFiles.ts';
import type { Core } from './core.ts';
import { machineFacts } from './machine.ts';

/** The versions and the machine that results depend on. */
export function systemInfo(core: Core): SystemInfo {
  const { threads, device } = core.settings();
  const { platform, cpu, cores, memoryBytes } = machineFacts();
  const packageFile = join(core.resources, '..', 'package.json');
  const runtimeFile = createRequire(packageFile).resolve('onnxruntime-node/package.json');
  return {
    version: versionIn(packageFile),
    node: process.version,
    onnxruntime: versionIn(runtimeFile),
    platform,
    cpu,
    cores,
    memoryBytes,
    threads,
    device,
    home: core.library.home.root,
  };
}

/** Here and now: what is kept beside everything that is measured. */
export function circumstances(core: Core): Circumstances {
  const { version, node, onnxruntime, threads, device } = systemInfo(core);
  return {
    device,
    threads,
    measuredAt: Date.now(),
    versions: { lathe: version, node, onnxruntime },
    machine: machineFacts(),
  };
}

/** What a package.json says of its version. */
export const versionIn = (packageFile: string): string =>
  z.object({ version: z.string() }).parse(JSON.parse(readFileSync(packageFile, 'utf8'))).version;

/** The folders in a folder (the user's own when none is asked for), and which of them are models. */
export async function listFolders(path = homedir()): Promise<FolderListing> {
  const folder = resolve(path);
  const names = await readFolders(folder);
  const parent = dirname(folder);
  return {
    path: folder,
    parent: parent === folder ? null : parent,
    isModel: isModelFolder(folder),
    folders: names
      .filter((name) => !name.startsWith('.'))
      .toSorted((a, b) => a.localeCompare(b))
      .map((name) => ({
        name,
        path: join(folder, name),
        isModel: isModelFolder(join(folder, name)),
      })),
  };
}

async function readFolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (!isCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) throw error;
    throw new LatheError('file_missing', `no such folder, or no permission to read it: ${folder}`, {
      file: folder,
    });
  }
}
