import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LatheError } from '../../../preload/contract/errors.ts';
import { openReadings } from '../../../main/engine/runner/keptReadings.ts';

let work: string;
let file: string;
const readings = [{ nats: [0.1, 2] }, 'zwei\nLinien', [3], { last: 'ünd so' }];

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'lathe-readings-'));
  file = join(work, 'readings.jsonl');
  keep('key', readings);
});
afterEach(() => rmSync(work, { recursive: true }));

/** What was there, before more is added. */
function keep(key: string, more: readonly unknown[] = []): readonly unknown[] {
  const kept = openReadings(work, key);
  for (const reading of more) kept.add(reading);
  kept.close();
  return kept.readings;
}

test('readings come back in their order, and more are added behind them', () => {
  expect(keep('key', ['more'])).toEqual(readings);
  expect(keep('key')).toEqual([...readings, 'more']);
});

test('readings of another key count for nothing and make room', () => {
  expect(keep('other', ['new'])).toEqual([]);
  expect(keep('other')).toEqual(['new']);
  expect(keep('key')).toEqual([]);
});

/** Another first line in the place of the one that is there. */
function rewriteHead(head: unknown): void {
  const [, ...lines] = readFileSync(file, 'utf8').split('\n');
  const text = JSON.stringify(head);
  const checksum = createHash('sha256').update(text).digest('hex').slice(0, 16);
  writeFileSync(file, [`${checksum} ${text}`, ...lines].join('\n'));
}

test('readings from before there were formats count, and more are added behind them', () => {
  rewriteHead('key');
  expect(keep('key', ['more'])).toEqual(readings);
  expect(keep('key')).toEqual([...readings, 'more']);
});

test('what a newer version wrote is refused and left as it is', () => {
  rewriteHead({ format: 2, key: 'key', more: 'than this one knows' });
  const before = readFileSync(file);
  for (const key of ['key', 'other']) {
    expect(() => keep(key)).toThrow(
      new LatheError(
        'file_malformed',
        `the readings were written by a newer Lathe (format 2, this one knows 1): ${file}`,
        { file, value: '2' },
      ),
    );
  }
  expect(readFileSync(file)).toEqual(before);
});

test('a first line that tells no format counts for nothing', () => {
  rewriteHead({ format: 'two', key: 'key' });
  expect(keep('key', ['new'])).toEqual([]);
  expect(keep('key')).toEqual(['new']);
});

test('wherever the file was torn off, whole readings before that place count and no other', () => {
  const whole = readFileSync(file);
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(file, whole.subarray(0, length));
    const before = keep('key', ['new']);
    const lines = whole.subarray(0, length).toString().split('\n').length - 1;
    expect(before).toEqual(readings.slice(0, Math.max(0, lines - 1)));
    expect(keep('key')).toEqual([...before, 'new']);
  }
});

test('a byte that changed ends what counts', () => {
  const whole = readFileSync(file);
  for (let at = 0; at < whole.length; at++) {
    writeFileSync(file, whole.with(at, whole[at] ^ 1));
    const line = whole.subarray(0, at).toString().split('\n').length - 1;
    expect(keep('key')).toEqual(readings.slice(0, Math.max(0, line - 1)));
  }
});
