import { constants, createReadStream, createWriteStream } from 'node:fs';
import { copyFile, open, statfs } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { LatheError } from '../../preload/contract/errors.ts';
import { diskError } from './folders.ts';

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears of every piece written, in bytes. */
  readonly onBytes?: (count: number) => void;
}

/**
 * Copies one file and flushes it to the disk. Where the file system can share the blocks of both
 * files until one changes, nothing is copied at all.
 */
export async function copyDurably(
  source: string,
  target: string,
  options: CopyOptions = {},
): Promise<void> {
  try {
    if (!(await cloned(source, target))) await copyPieces(source, target, options);
    const file = await open(target, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw diskError(error, target);
  }
}

/** Throws `disk_full` when a folder's disk has not so many bytes left, with a twentieth to spare. */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (bytes * 1.05 <= free) return;
  throw new LatheError(
    'disk_full',
    `not enough space left on the disk of ${folder}: ${bytes} bytes needed, ${free} free`,
    { file: folder, value: String(free) },
  );
}

async function cloned(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    // Most file systems cannot; whatever else is wrong shows again when the bytes are copied.
    if (error instanceof Error) return false;
    throw error;
  }
}

async function copyPieces(source: string, target: string, options: CopyOptions): Promise<void> {
  const { signal, onBytes } = options;
  const read = createReadStream(source, { highWaterMark: 2 ** 20 });
  read.on('data', (piece) => onBytes?.(piece.length));
  // The clone may have left an empty file behind.
  await pipeline(read, createWriteStream(target, { mode: 0o644 }), ...(signal ? [{ signal }] : []));
}
