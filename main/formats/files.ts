import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import { isInDownloadCache } from './downloadCache.ts';
import { checkRelativePath } from './paths.ts';

/** One system call moves at most this much: Linux stops at 2 GiB, and a smaller step costs nothing. */
const LARGEST_TRANSFER = 2 ** 30;

/** A file open for reading at any offset; nothing is read before it is asked for. */
export interface Bytes {
  /** Size in bytes when the file was opened. */
  readonly length: number;
  readonly path: string;
  /** What `path` leads to, where it is a link. */
  readonly target?: string;
  /** Exactly `length` bytes from `offset`, in an ArrayBuffer of their own (so aligned for any typed array). */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  close(): void;
}

/** A file being written from start to end; it takes its name when it is complete. */
export interface Sink {
  /** Bytes written so far. */
  readonly position: number;
  write(bytes: Uint8Array): void;
  /** Flushes to the disk, closes, and replaces the file of this name if there is one. */
  close(): void;
  /** Gives up: nothing stays behind. Does nothing once closed. */
  discard(): void;
}

/**
 * Opens a regular file for reading. Throws `file_missing` where there is none (or it may not be
 * read) and `file_malformed` for a folder, device or pipe. Reading outside the file throws
 * `file_malformed` with the offset; a file that shrank since it was opened throws `file_changed`.
 */
export function openBytes(path: string): Bytes {
  return bytesOf(path, openRegularFile(path, 0));
}

/**
 * Opens a file by a path that is not to be trusted, inside `folder`. Throws `path_refused` where
 * the path or a link on it leads outside, for a file that is a link (but not for those of Hugging
 * Face's download cache), and for one with a second name: a hard link may stand for any file of the
 * disk.
 */
export function openInside(folder: string, relative: string): Bytes {
  checkRelativePath(relative);
  const refused = (reason: string): LatheError =>
    new LatheError('path_refused', `${reason}: ${JSON.stringify(relative)}`, {
      file: join(folder, relative),
    });
  const root = translate(folder, () => fs.realpathSync(folder));
  const wanted = join(root, relative);
  const parent = translate(wanted, () => fs.realpathSync(dirname(wanted)));
  const inside = parent === root || parent.startsWith(root.endsWith(sep) ? root : root + sep);
  if (!inside) throw refused('a link leads out of the folder');
  const path = join(parent, basename(wanted));
  const isLink = translate(path, () => fs.lstatSync(path)).isSymbolicLink();
  const real = isLink ? translate(path, () => fs.realpathSync(path)) : path;
  if (isLink && !isInDownloadCache(root, real)) throw refused('a link');
  const opened = openRegularFile(real, fs.constants.O_NOFOLLOW ?? 0);
  // Looked at again through the open file: its name may have changed hands in between.
  const now = fs.lstatSync(real, { throwIfNoEntry: false });
  const same = now?.ino === opened.stat.ino && now.dev === opened.stat.dev;
  if (same && opened.stat.nlink === 1) {
    return { ...bytesOf(path, opened), ...(isLink && { target: real }) };
  }
  fs.closeSync(opened.fd);
  throw refused(same ? 'a file with a second name (hard link)' : 'the file was exchanged');
}

function bytesOf(path: string, descriptor: { fd: number; length: number }): Bytes {
  const { length } = descriptor;
  let open = true;
  return {
    length,
    path,
    read(offset, size) {
      // The system may have given the descriptor to another file by now.
      if (!open) throw new Error(`read after close: ${path}`);
      if (!(offset >= 0 && size >= 0 && offset + size <= length)) {
        throw new LatheError(
          'file_malformed',
          `file ends before the ${size} bytes at ${offset}: ${path} has ${length} bytes`,
          { file: path, offset },
        );
      }
      return readFully(descriptor.fd, path, offset, size);
    },
    close() {
      if (!open) return;
      open = false;
      fs.closeSync(descriptor.fd);
    },
  };
}

/** Reads a whole file that must not be larger than `limit` bytes (`file_too_large`). */
export function readFile(path: string, limit: number): Uint8Array<ArrayBuffer> {
  const bytes = openBytes(path);
  try {
    if (bytes.length > limit) {
      throw new LatheError(
        'file_too_large',
        `file may have at most ${limit} bytes: ${path} has ${bytes.length}`,
        { file: path, value: String(bytes.length) },
      );
    }
    return bytes.read(0, bytes.length);
  } finally {
    bytes.close();
  }
}

/**
 * Creates a file and writes to it in order, under a name of its own until it is complete: a crash
 * leaves the old file or the new one, never a mixture. A full disk throws `disk_full`.
 */
export function createSink(path: string): Sink {
  const part = `${path}.part`;
  if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new LatheError('file_malformed', `a folder is where a file should be: ${path}`, {
      file: path,
    });
  }
  fs.rmSync(part, { force: true });
  const fd = translate(path, () => fs.openSync(part, 'wx'));
  let position = 0;
  let open = true;
  return {
    get position() {
      return position;
    },
    write(bytes) {
      for (let done = 0; done < bytes.length;) {
        const step = bytes.subarray(done, done + LARGEST_TRANSFER);
        const count = translate(path, () => fs.writeSync(fd, step, 0, step.length, position));
        done += count;
        position += count;
      }
    },
    close() {
      open = false;
      try {
        translate(path, () => fs.fsyncSync(fd));
      } finally {
        fs.closeSync(fd);
      }
      translate(path, () => fs.renameSync(part, path));
      syncFolder(dirname(path));
    },
    discard() {
      if (!open) return;
      open = false;
      fs.closeSync(fd);
      fs.rmSync(part, { force: true });
    },
  };
}

/** Writes a small file, whole or not at all. */
export function writeText(path: string, text: string): void {
  const sink = createSink(path);
  try {
    sink.write(new TextEncoder().encode(text));
    sink.close();
  } catch (error) {
    sink.discard();
    throw error;
  }
}

/** Makes a rename survive a loss of power. Windows cannot open folders and needs it not. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function openRegularFile(
  path: string,
  flags: number,
): { fd: number; length: number; stat: fs.Stats } {
  // Opening a pipe would otherwise wait for a writer.
  const all = fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0) | flags;
  const fd = translate(path, () => fs.openSync(path, all));
  const stat = fs.fstatSync(fd);
  if (!stat.isFile()) {
    fs.closeSync(fd);
    throw new LatheError('file_malformed', `not a regular file: ${path}`, { file: path });
  }
  return { fd, length: stat.size, stat };
}

function readFully(
  fd: number,
  path: string,
  offset: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  // Not zeroed: every byte is filled below or the call throws.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  for (let done = 0; done < length;) {
    const step = Math.min(length - done, LARGEST_TRANSFER);
    const count = translate(path, () => fs.readSync(fd, bytes, done, step, offset + done));
    if (count === 0) {
      throw new LatheError('file_changed', `file became shorter while it was read: ${path}`, {
        file: path,
        offset: offset + done,
      });
    }
    done += count;
  }
  return bytes;
}

/** Runs a file operation and gives what the operating system may refuse a code of the contract. */
function translate<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const known = systemFailures.get(code);
    if (known === undefined) throw error;
    throw new LatheError(
      known.code,
      `${known.message}: ${path}`,
      { file: path, value: code },
      {
        cause: error,
      },
    );
  }
}

const systemFailures = new Map<
  string,
  { code: 'file_missing' | 'file_malformed' | 'disk_full' | 'path_refused'; message: string }
>([
  ['ENOENT', { code: 'file_missing', message: 'no such file' }],
  [
    'ENOTDIR',
    { code: 'file_missing', message: 'no such file, a part of its path is not a folder' },
  ],
  ['EACCES', { code: 'file_missing', message: 'no permission to open the file' }],
  ['EPERM', { code: 'file_missing', message: 'no permission to open the file' }],
  ['ELOOP', { code: 'path_refused', message: 'symbolic links lead in a circle' }],
  ['ENAMETOOLONG', { code: 'path_refused', message: 'path is too long' }],
  ['EISDIR', { code: 'file_malformed', message: 'a folder is where a file should be' }],
  ['ENXIO', { code: 'file_malformed', message: 'not a regular file' }],
  ['ENOSPC', { code: 'disk_full', message: 'no space left on the disk' }],
  ['EDQUOT', { code: 'disk_full', message: 'the disk quota is used up' }],
]);
