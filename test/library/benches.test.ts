import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  benchRequestSchema,
  type BenchRecord,
  type Latency,
} from '../../preload/contract/bench.ts';
import { latencyOf } from '../../main/inference/measure.ts';
import { benchStore } from '../../main/library/benches.ts';
import { openDatabase, type Database } from '../../main/library/database.ts';
import { migrations } from '../../main/library/migrations.ts';
import { createRandom } from '../../main/numeric/random.ts';

const warn = (message: string): void => expect.fail(message);

let folder: string;
let database: Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-benches-'));
  database = openDatabase(join(folder, 'library.sqlite'), warn);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const latency: Latency = {
  samples: 20,
  mean: 2.2,
  p50: 2,
  p90: 3,
  ci95: { p50: [1.9, 2.1] },
  tokensPerSecond: 500,
};
const decodeMs = [2, 2.5];

const record = (model: string, measuredAt: number): Omit<BenchRecord, 'id'> => ({
  request: benchRequestSchema.parse({ model, contexts: [64] }),
  model,
  modelSha256: 'f'.repeat(64),
  prefill: latency,
  decode: latency,
  ttft: latency,
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
  const old = store.add('one', record('one', 1000), decodeMs);
  const other = store.add('two', record('two', 3000), decodeMs);
  const recent = store.add('one', record('one', 2000), decodeMs);
  expect(old).toEqual({ ...record('one', 1000), id: old.id });
  expect(store.list({})).toEqual([other, recent, old]);
  expect(store.list({ model: 'one' })).toEqual([recent, old]);
  expect(store.list({ model: 'three' })).toEqual([]);
});

test('samples are told one measurement at a time, to the digit', () => {
  const store = benchStore(database);
  const { id } = store.add('one', record('one', 1000), decodeMs);
  store.add('one', record('one', 1000), [1]);
  expect(store.samples(id)).toEqual(Float64Array.from(decodeMs));
  expect(() => store.samples(99)).toThrow(
    expect.objectContaining({ code: 'not_found', message: 'no measurement of this number: 99' }),
  );
});

test('those that another version wrote are passed over', () => {
  const store = benchStore(database);
  const { id } = store.add('one', record('one', 1000), decodeMs);
  const kept = store.add('one', record('one', 2000), decodeMs);
  database.run("UPDATE benches SET record = json_remove(record, '$.ttft') WHERE id = ?", id);
  expect(store.list({})).toEqual([kept]);
});

test('one that is removed is gone, and cannot be removed again', () => {
  const store = benchStore(database);
  const { id } = store.add('one', record('one', 1000), decodeMs);
  store.remove(id);
  expect(store.list({})).toEqual([]);
  expect(() => store.remove(id)).toThrow(
    expect.objectContaining({ code: 'not_found', message: `no measurement of this number: ${id}` }),
  );
});

test('samples that an older version kept in its records are told apart, with what is told of them', () => {
  const path = join(folder, 'older.sqlite');
  const random = createRandom(7);
  const times = [12, 1000].map((count) => Array.from({ length: count }, () => random.next()));
  const older = openDatabase(path, warn, migrations.slice(0, 4));
  for (const [at, samples] of times.entries()) {
    const decode = { ...latencyOf(samples, 1), mean: undefined, ci95: undefined };
    const written = JSON.stringify({ ...record('one', 2000 - at), decode, decodeMs: samples });
    older.run(
      `INSERT INTO benches (model, name, request, device, measured_at, record)
       VALUES ('one', 'one', '{}', 'cpu', ?, ?)`,
      2000 - at,
      written,
    );
    older.run(
      `INSERT INTO jobs (id, created_at, owner, state, fingerprint, asked, job)
       VALUES (?, 0, '', 'finished', '', '', ?)`,
      `job-${at}`,
      `{"kind":"bench","result":${written}}`,
    );
  }
  older.close();
  const newer = openDatabase(path, warn);
  const store = benchStore(newer);
  const kept = store.list({});
  expect(kept.map(({ id }) => [...store.samples(id)])).toEqual(times);
  for (const [at, { decode }] of kept.entries()) {
    const { mean = NaN, ...others } = latencyOf(times[at], 1);
    expect(decode).toEqual({ ...others, mean: expect.closeTo(mean, 12) });
  }
  const jobs = newer.all("SELECT job ->> '$.result.decodeMs' AS samples FROM jobs");
  expect(jobs).toEqual([{ samples: null }, { samples: null }]);
  newer.close();
});
