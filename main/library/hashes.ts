import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { LatheError } from '../../preload/contract/errors.ts';
import type { Database } from './database.ts';

/** What tells, without reading it, that a file is the one that was hashed. */
export interface FileIdentity {
  readonly bytes: number;
  readonly mtimeNs: string;
  readonly inode: string;
}

/** Throws `file_missing` where there is no regular file. */
export function identify(path: string): FileIdentity {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat?.isFile())
    throw new LatheError('file_missing', `no such file: ${path}`, { file: path });
  return { bytes: Number(stat.size), mtimeNs: String(stat.mtimeNs), inode: String(stat.ino) };
}

/** Remembers sha256 of files, so that a model of gigabytes is read for it only once. */
export interface HashCache {
  /** The recorded sha256 in hex; null when the file is new or differs from when it was read. */
  recorded(path: string): string | null;
  /** `identity` as it was before the file was read: a change while reading then shows. */
  record(path: string, identity: FileIdentity, sha256: string): void;
}

export function hashCache(database: Database): HashCache {
  return {
    recorded(path) {
      const now = identify(path);
      const row = database.get(
        'SELECT sha256 FROM hashes WHERE path = ? AND bytes = ? AND mtime_ns = ? AND inode = ?',
        path,
        now.bytes,
        now.mtimeNs,
        now.inode,
      );
      return row === undefined ? null : String(row['sha256']);
    },
    record(path, identity, sha256) {
      database.run(
        'INSERT OR REPLACE INTO hashes (path, bytes, mtime_ns, inode, sha256) VALUES (?, ?, ?, ?, ?)',
        path,
        identity.bytes,
        identity.mtimeNs,
        identity.inode,
        sha256,
      );
    },
  };
}

/** sha256 of a file in hex, read in pieces; `onBytes` hears of every piece. */
export async function hashFile(
  path: string,
  { signal, onBytes }: { signal?: AbortSignal | undefined; onBytes?: (count: number) => void } = {},
): Promise<string> {
  const hash = createHash('sha256');
  const pieces = createReadStream(path, { highWaterMark: 2 ** 20, ...(signal ? { signal } : {}) });
  for await (const piece of pieces as AsyncIterable<Buffer>) {
    hash.update(piece);
    onBytes?.(piece.length);
  }
  return hash.digest('hex');
}
