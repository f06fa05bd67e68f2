import fs, { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  forgetEarlier,
  keepPass,
  keptFolder,
  openKept,
  readCheckpoint,
} from '../../../main/engine/runner/checkpoint.ts';
import { tinyDecoder } from '../../passes/tinyDecoder.ts';

const { writeSync } = fs;
let work: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'lathe-checkpoint-'));
});
afterEach(() => {
  fs.writeSync = writeSync;
  syncBuiltinESMExports();
  rmSync(work, { recursive: true });
});

/** The disk is full from the n-th write on. */
function fullAfter(writes: number): { count: number } {
  const seen = { count: 0 };
  const full = (...args: Parameters<typeof writeSync>): number => {
    seen.count++;
    if (seen.count > writes) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    return Reflect.apply(writeSync, fs, args);
  };
  // One of its overloads stands for all.
  fs.writeSync = full as typeof writeSync;
  syncBuiltinESMExports();
  return seen;
}

const input = tinyDecoder();
const report = (pass: 'fuse' | 'unfuse') => ({
  step: { pass },
  seconds: 1,
  bytesBefore: 1,
  bytes: 1,
  layers: [],
  notes: [],
});
const first = { done: 1, kept: 1, reports: [report('fuse')] };
const second = { done: 2, kept: 2, reports: [report('fuse'), report('unfuse')] };

describe('what passes gave', () => {
  test('is opened again as it was kept', () => {
    keepPass(work, first, input);
    expect(readCheckpoint(work)).toEqual(first);
    const { model, config, close } = openKept(work, first);
    expect(config).toEqual(input.config);
    expect([...model.graph.initializers.keys()]).toEqual([
      ...input.model.graph.initializers.keys(),
    ]);
    close();
  });

  test('is nothing where nothing was kept', () => {
    expect(readCheckpoint(work)).toEqual({ done: 0, kept: 0, reports: [] });
  });

  test('is not written again where a pass left it as it was', () => {
    keepPass(work, first, input);
    const unchanged = { ...second, kept: 1 };
    keepPass(work, unchanged, input);
    expect(readCheckpoint(work)).toEqual(unchanged);
    expect(readdirSync(work).toSorted()).toEqual(['checkpoint.json', 'pass-1']);
  });

  test('of earlier passes goes', () => {
    keepPass(work, first, input);
    keepPass(work, second, input);
    forgetEarlier(work, second);
    expect(readdirSync(work).toSorted()).toEqual(['checkpoint.json', 'pass-2']);
  });

  test('stays the last whole one wherever the disk gets full, and is written again after', () => {
    keepPass(work, first, input);
    const whole = readFileSync(join(keptFolder(work, first), 'model.onnx'));
    const { count } = ((): { count: number } => {
      const seen = fullAfter(Infinity);
      keepPass(work, second, input);
      return seen;
    })();
    expect(count).toBeGreaterThan(2);
    keepPass(work, first, input);
    for (let writes = 0; writes < count; writes++) {
      fullAfter(writes);
      expect(() => keepPass(work, second, input)).toThrow(
        expect.objectContaining({ code: 'disk_full' }),
      );
      expect(readCheckpoint(work)).toEqual(first);
      const parts = readdirSync(work, { recursive: true, encoding: 'utf8' });
      expect(parts.filter((name) => name.endsWith('.part'))).toEqual([]);
    }
    fullAfter(Infinity);
    keepPass(work, second, input);
    expect(readFileSync(join(keptFolder(work, second), 'model.onnx'))).toEqual(whole);
  });
});
