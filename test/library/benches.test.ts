import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { benchRequestSchema, type BenchRecord } from '../../preload/contract/bench.ts';
import { benchStore } from '../../main/library/benches.ts';
import { openDatabase, type Database } from '../../main/library/database.ts';

let folder: string;
let database: Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-benches-'));
  database = openDatabase(join(folder, 'library.sqlite'), (message) => expect.fail(message));
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const latency = { samples: 20, p50: 2, p90: 3, tokensPerSecond: 500 };

const record = (model: string, measuredAt: number): Omit<BenchRecord, 'id'> => ({
  request: benchRequestSchema.parse({ model, contexts: [64] }),
  model,
  modelSha256: 'f'.repeat(64),
  prefill: latency,
  decode: latency,
  ttft: latency,
  decodeMs: [2, 2.5],
  peakRssBytes: 2e8,
  memory: { phases: [{ phase: 'load', startMs: 1, peakBytes: 2e8 }], ms: [0], bytes: [1e8] },
  cacheBytes: 1e6,
  fileBytes: 4e6,
  loadMs: 30,
  loads: { coldMs: null, warmMs: 12 },
  joulesPerToken: null,
  contexts: [{ at: 64, ttft: latency, decode: latency }],
  batches: [],
  threadCounts: [],
  operators: [
    { node: 'logits', operator: 'MatMul', block: null, calls: 5, prefillMs: 1, decodeMs: 0.5 },
  ],
  protocol: 'five runs',
  device: 'cpu',
  threads: 2,
  measuredAt,
  versions: { lathe: '0.1.0' },
  machine: { cpu: 'A CPU', cores: 2, memoryBytes: 8e9, platform: 'linux-x64', release: '6.0' },
});

test('measurements come back as they were, the newest first, of one model or of all', () => {
  const store = benchStore(database);
  const old = store.add('one', record('one', 1000));
  const other = store.add('two', record('two', 3000));
  const recent = store.add('one', record('one', 2000));
  expect(old).toEqual({ ...record('one', 1000), id: old.id });
  expect(store.list({})).toEqual([other, recent, old]);
  expect(store.list({ model: 'one' })).toEqual([recent, old]);
  expect(store.list({ model: 'three' })).toEqual([]);
});

test('those that another version wrote are passed over', () => {
  const store = benchStore(database);
  const { id } = store.add('one', record('one', 1000));
  const kept = store.add('one', record('one', 2000));
  database.run("UPDATE benches SET record = json_remove(record, '$.ttft') WHERE id = ?", id);
  expect(store.list({})).toEqual([kept]);
});

test('one that is removed is gone, and cannot be removed again', () => {
  const store = benchStore(database);
  const { id } = store.add('one', record('one', 1000));
  store.remove(id);
  expect(store.list({})).toEqual([]);
  expect(() => store.remove(id)).toThrow(
    expect.objectContaining({ code: 'not_found', message: `no measurement of this number: ${id}` }),
  );
});
