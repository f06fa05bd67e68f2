import { existsSync, renameSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { LatheError } from '../../preload/contract/errors.ts';
import { unwritable } from './folders.ts';
import { migrations as currentMigrations } from './migrations.ts';

/** SQL in, rows out; failures carry a code of the contract. */
export interface Database {
  run(sql: string, ...values: SQLInputValue[]): number;
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  /** All or nothing. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** The columns of a row; the schema stores texts, whole numbers and nothing else. */
export type Row = Record<string, string | number | null>;

/**
 * Opens the library's database: write-ahead log, every commit flushed to the disk, checked for
 * damage, brought to the newest schema (the older state is kept beside it as `.v<n>.bak`). A
 * damaged file is set aside under a name of its own and `warn` is told: what it held besides
 * models (those are files) starts anew. Throws `path_refused` or `disk_full` where it cannot be
 * written.
 */
export function openDatabase(
  path: string,
  warn: (message: string) => void,
  migrations: readonly string[] = currentMigrations,
): Database {
  return translated(path, () => {
    let connection = connect(path);
    const damage = damageOf(connection);
    if (damage !== null) {
      connection.close();
      const aside = `${path}.damaged-${Date.now()}`;
      for (const suffix of ['', '-wal', '-shm']) {
        if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
      }
      warn(`the library's database was damaged (${damage}) and is kept as ${aside}`);
      connection = connect(path);
    }
    configure(connection);
    migrate(connection, path, migrations);
    return wrap(connection, path);
  });
}

function connect(path: string): DatabaseSync {
  return new (loadSqlite().DatabaseSync)(path, { timeout: 5000 });
}

/**
 * Node announces on stderr that its SQLite is experimental. That is for developers: it is held
 * back here, for the one synchronous load, and every other warning passes.
 */
function loadSqlite(): typeof import('node:sqlite') {
  const passOn = process.emitWarning.bind(process);
  const hold = (warning: string | Error, ...rest: unknown[]): void => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).startsWith('SQLite')) return;
    Reflect.apply(passOn, process, [warning, ...rest]);
  };
  process.emitWarning = hold;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = passOn;
  }
}

function damageOf(connection: DatabaseSync): string | null {
  try {
    const row = connection.prepare('PRAGMA quick_check(1)').get();
    const found = String(row?.['quick_check']);
    return found === 'ok' ? null : found;
  } catch (error) {
    if (isCorrupt(error)) return error.message;
    throw error;
  }
}

const SQLITE_PERM = 3;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

const cannotWrite = [SQLITE_PERM, SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN];

/** Runs what SQLite may refuse and gives its failures a code of the contract. */
function translated<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = sqliteCode(error);
    // Its own files of shared memory cannot be made on a full disk, which SQLite calls an I/O error.
    if (code === SQLITE_FULL || (code === SQLITE_IOERR && isFull(dirname(path)))) {
      throw new LatheError('disk_full', `no space left for the library: ${path}`, { file: path });
    }
    if (isCorrupt(error)) {
      throw new LatheError('file_malformed', `the library's database is damaged: ${path}`, {
        file: path,
        value: error.message,
      });
    }
    throw code !== null && cannotWrite.includes(code) ? unwritable(path, error) : error;
  }
}

/** Whether a disk has no room for a page of memory that is shared. */
const isFull = (folder: string): boolean => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize < 65_536;
};

function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error)) return null;
  // Extended codes keep the primary one in the low byte.
  return Number(error.errcode) & 0xff;
}

function isCorrupt(error: unknown): error is Error {
  const code = sqliteCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

function configure(connection: DatabaseSync): void {
  connection.exec('PRAGMA journal_mode = WAL');
  connection.exec('PRAGMA synchronous = FULL');
  connection.exec('PRAGMA foreign_keys = ON');
}

function migrate(connection: DatabaseSync, path: string, migrations: readonly string[]): void {
  const version = (): number =>
    Number(connection.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version() > migrations.length) {
    throw new LatheError(
      'file_malformed',
      `the library was written by a newer Lathe (schema ${version()}, this one knows ${migrations.length}): ${path}`,
      { file: path, value: String(version()) },
    );
  }
  if (version() === migrations.length) return;
  if (version() > 0) {
    const backup = `${path}.v${version()}.bak`;
    if (!existsSync(backup)) connection.prepare('VACUUM INTO ?').run(backup);
  }
  // Another process may be migrating too: the lock is taken before the version is read again.
  connection.exec('BEGIN IMMEDIATE');
  try {
    for (let next = version(); next < migrations.length; next++) {
      connection.exec(migrations[next]);
      connection.exec(`PRAGMA user_version = ${next + 1}`);
    }
    connection.exec('COMMIT');
  } catch (error) {
    connection.exec('ROLLBACK');
    throw error;
  }
}

function toRow(row: Record<string, SQLOutputValue>): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (typeof value === 'string' || typeof value === 'number' || value === null) {
        return [name, value];
      }
      throw new TypeError(`a column of another type than the schema has: ${name}`);
    }),
  );
}

function wrap(connection: DatabaseSync, path: string): Database {
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  const prepared = (sql: string): ReturnType<DatabaseSync['prepare']> => {
    let statement = statements.get(sql);
    if (!statement) statements.set(sql, (statement = connection.prepare(sql)));
    return statement;
  };
  return {
    run: (sql, ...values) => translated(path, () => Number(prepared(sql).run(...values).changes)),
    get(sql, ...values) {
      const row = translated(path, () => prepared(sql).get(...values));
      return row === undefined ? undefined : toRow(row);
    },
    all: (sql, ...values) => translated(path, () => prepared(sql).all(...values)).map(toRow),
    transaction(work) {
      translated(path, () => connection.exec('BEGIN IMMEDIATE'));
      try {
        const result = work();
        translated(path, () => connection.exec('COMMIT'));
        return result;
      } catch (error) {
        if (connection.isTransaction) connection.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => connection.close(),
  };
}
