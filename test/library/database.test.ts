import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../main/library/database.ts';

let folder: string;
let path: string;
let warnings: string[];
const warn = (message: string): void => void warnings.push(message);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-database-'));
  path = join(folder, 'library.sqlite');
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const first = 'CREATE TABLE things (name TEXT PRIMARY KEY) STRICT';
const second = 'ALTER TABLE things ADD COLUMN size INTEGER';

describe('the library database', () => {
  test('writes ahead and flushes every commit to the disk', () => {
    const database = openDatabase(path, warn);
    expect(database.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
    expect(database.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
    database.close();
  });

  test('keeps what was there when the schema changes, and a copy of the old state', () => {
    const before = openDatabase(path, warn, [first]);
    before.run('INSERT INTO things VALUES (?)', 'kept');
    before.close();
    const after = openDatabase(path, warn, [first, second]);
    expect(after.all('SELECT * FROM things')).toEqual([{ name: 'kept', size: null }]);
    after.close();
    const backup = openDatabase(`${path}.v1.bak`, warn, [first]);
    expect(backup.all('SELECT * FROM things')).toEqual([{ name: 'kept' }]);
    backup.close();
  });

  test('stays at the old state when a migration fails', () => {
    openDatabase(path, warn, [first]).close();
    expect(() => openDatabase(path, warn, [first, `${second}; SELECT nonsense`])).toThrow(
      'nonsense',
    );
    const database = openDatabase(path, warn, [first]);
    expect(database.all('PRAGMA table_info(things)')).toHaveLength(1);
    database.close();
  });

  test('refuses a library that a newer Lathe wrote', () => {
    openDatabase(path, warn, [first, second]).close();
    expect(() => openDatabase(path, warn, [first])).toThrow(
      expect.objectContaining({ code: 'file_malformed', data: { file: path, value: '2' } }),
    );
  });

  test('names the place where it cannot be written', () => {
    mkdirSync(path);
    expect(() => openDatabase(path, warn)).toThrow(
      expect.objectContaining({ code: 'path_refused', data: { file: path } }),
    );
  });

  test('sets a damaged file aside, says so and starts anew', () => {
    writeFileSync(
      path,
      'this is not a database, but it is long enough to look like one'.repeat(99),
    );
    const before = readFileSync(path);
    const database = openDatabase(path, warn);
    expect(database.all('SELECT * FROM runs')).toEqual([]);
    database.close();
    const aside = readdirSync(folder).find((name) => name.includes('.damaged-'));
    expect(readFileSync(join(folder, aside ?? ''))).toEqual(before);
    expect(warnings).toEqual([expect.stringContaining('was damaged')]);
  });

  test('does not mistake a sound file for a damaged one', () => {
    openDatabase(path, warn).close();
    openDatabase(path, warn).close();
    expect([warnings, existsSync(path)]).toEqual([[], true]);
  });

  test('rolls a transaction back as a whole', () => {
    const database = openDatabase(path, warn, [first]);
    expect(() =>
      database.transaction(() => {
        database.run('INSERT INTO things VALUES (?)', 'gone');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(database.all('SELECT * FROM things')).toEqual([]);
    database.close();
  });

  test('tells nobody that SQLite is experimental, and lets other warnings pass', () => {
    const script = `
      const { openDatabase } = await import(${JSON.stringify(new URL('../../main/library/database.ts', import.meta.url).href)});
      openDatabase(${JSON.stringify(path)}, () => undefined).close();
      process.emitWarning('something else', 'ExperimentalWarning');`;
    const { stderr: errors } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    expect(errors).toContain('something else');
    expect(errors).not.toContain('SQLite');
  });
});
