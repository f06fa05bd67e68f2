import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, dirname } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';

const temporaryName = /^\.tmp-(\d+)-[0-9a-f]{12}$/;

/** A fresh folder inside `parent` that `sweep` recognizes as unfinished work of this process. */
export function temporaryFolder(parent: string): string {
  const folder = join(parent, `.tmp-${process.pid}-${randomBytes(6).toString('hex')}`);
  mkdirSync(folder);
  return folder;
}

export const isTemporary = (name: string): boolean => temporaryName.test(name);

/**
 * Gives a finished folder its name, in one step: readers see all of it or nothing. Returns false,
 * and changes nothing, when there is one of that name already.
 */
export function publishFolder(temporary: string, target: string): boolean {
  // Renaming onto an empty folder would succeed; onto a filled one it fails, which is the test
  // that two processes cannot both pass.
  if (existsSync(target)) return false;
  try {
    retryBusy(() => renameSync(temporary, target));
  } catch (error) {
    if (isCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM') && existsSync(target)) return false;
    throw diskError(error, target);
  }
  syncFolder(dirname(target));
  return true;
}

/** Removes what processes that are gone left unfinished in `parent` more than `age` ms ago. */
export function sweep(parent: string, age = 3_600_000): void {
  for (const name of readdirSync(parent)) {
    const owner = temporaryName.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    const folder = join(parent, name);
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs >= age) rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether a process of this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

/** Makes the names in a folder survive a power cut. Windows has no such call and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A full disk as an error of the contract; anything else as it is. */
export function diskError(error: unknown, file: string): unknown {
  if (!isCode(error, 'ENOSPC', 'EDQUOT')) return error;
  return new LatheError(
    'disk_full',
    `no space left on the disk: ${file}`,
    { file },
    { cause: error },
  );
}

/** What the system says where a path is no place to write. */
const refusals =
  'EACCES EPERM EROFS ENOTDIR EEXIST ENOENT EINVAL ENAMETOOLONG ELOOP EISDIR ENOTSUP'.split(' ');

/** Does what writes at a path. Throws `path_refused` or `disk_full` where the system refuses. */
export function placing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isCode(error, ...refusals)) throw unwritable(path, error);
    throw diskError(error, path);
  }
}

/** Nothing can be written at a path, and why. */
export function unwritable(path: string, cause: unknown): LatheError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new LatheError(
    'path_refused',
    `nothing can be written here: ${path}${reason}`,
    { file: path },
    { cause },
  );
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Windows refuses to rename what a virus scanner holds open at the moment. */
function retryBusy(work: () => void): void {
  const until = Date.now() + (process.platform === 'win32' ? 10_000 : 0);
  for (let pause = 10; ; pause = Math.min(pause * 2, 500)) {
    try {
      return work();
    } catch (error) {
      if (!isCode(error, 'EPERM', 'EBUSY', 'EACCES') || Date.now() + pause > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
    }
  }
}
