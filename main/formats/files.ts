import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { LatheError } from '../../preload/contract/errors.ts';

/** One system call moves at most this much: Linux stops at 2 GiB, and a smaller step costs nothing. */
const LARGEST_TRANSFER = 2 ** 30;

/** A file open for reading at any offset; nothing is read before it is asked for. */
export interface Bytes {
  /** Size in bytes when the file was opened. */
  readonly length: number;
  readonly path: string;
  /** Exactly `length` bytes from `offset`, in an ArrayBuffer of their own (so aligned for any typed array). */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  close(): void;
}

/** A file being written from start to end. */
export interface Sink {
  /** Bytes written so far. */
  readonly position: number;
  write(bytes: Uint8Array): void;
  /** Flushes to the disk and closes; the file is complete only after this returned. */
  close(): void;
}

/**
 * Opens a regular file for reading. Throws `file_missing` where there is none (or it may not be
 * read) and `file_malformed` for a folder, device or pipe. Reading outside the file throws
 * `file_malformed` with the offset; a file that shrank since it was opened throws `file_changed`.
 */
export function openBytes(path: string): Bytes {
  const descriptor = openRegularFile(path);
  const { length } = descriptor;
  return {
    length,
    path,
    read(offset, size) {
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

/** Creates (or empties) a file and writes to it in order. A full disk throws `disk_full`. */
export function createSink(path: string): Sink {
  const fd = translate(path, () => fs.openSync(path, 'w'));
  let position = 0;
  return {
    get position() {
      return position;
    },
    write(bytes) {
      for (let done = 0; done < bytes.length;) {
        const part = bytes.subarray(done, done + LARGEST_TRANSFER);
        const count = translate(path, () => fs.writeSync(fd, part, 0, part.length, position));
        done += count;
        position += count;
      }
    },
    close() {
      try {
        translate(path, () => fs.fsyncSync(fd));
      } finally {
        fs.closeSync(fd);
      }
    },
  };
}

function openRegularFile(path: string): { fd: number; length: number } {
  // Opening a pipe would otherwise wait for a writer.
  const fd = translate(path, () =>
    fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0)),
  );
  const stat = fs.fstatSync(fd);
  if (!stat.isFile()) {
    fs.closeSync(fd);
    throw new LatheError('file_malformed', `not a regular file: ${path}`, { file: path });
  }
  return { fd, length: stat.size };
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
