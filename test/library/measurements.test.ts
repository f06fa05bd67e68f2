import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EvaluationKey, NewEvaluation } from '../../main/library/evaluations.ts';
import { openDatabase, type Database } from '../../main/library/database.ts';
import { evaluationStore, type EvaluationStore } from '../../main/library/evaluations.ts';
import { openHome } from '../../main/library/home.ts';
import { jobStore } from '../../main/library/jobs.ts';

let root: string;
let database: Database;
let store: EvaluationStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lathe-measurements-'));
  database = openDatabase(join(root, 'library.sqlite'), () => undefined);
  store = evaluationStore(database);
});
afterEach(() => {
  database.close();
  rmSync(root, { recursive: true });
});

const key: EvaluationKey = {
  metric: 'perplexity',
  model: 'a',
  base: '',
  protocol: 'p',
  data: 'd',
  device: 'cpu',
};
const record: NewEvaluation = {
  metric: 'perplexity',
  value: 7.25,
  ci95: [7, 7.5],
  n: 12,
  protocol: 'p',
  details: { deciles: [null, 0.5] },
  against: null,
  model: "o'clock",
  modelSha256: 'a',
  base: null,
  data: 'stories',
  dataSha256: 'd',
  device: 'cpu',
  threads: 2,
  measuredAt: 1000,
  versions: { lathe: '0.1.0' },
  machine: { cpu: 'c', cores: 2, memoryBytes: 1e9, platform: 'linux-x64', release: '6' },
};

describe('measurements', () => {
  test('come back as they were written, with a number of their own', () => {
    const [first, second] = store.add([
      { key, record },
      { key: { ...key, metric: 'kl' }, record: { ...record, metric: 'kl' } },
    ]);
    expect(first).toEqual({ ...record, id: first?.id });
    expect(store.find(key, record)).toEqual(first);
    expect(store.list({})).toEqual([second, first]);
    expect(store.list({ model: "o'clock", metric: 'perplexity' })).toEqual([first]);
  });

  test('are found by every part of their key', () => {
    store.add([{ key, record }]);
    for (const part of ['metric', 'model', 'base', 'protocol', 'data', 'device'] as const) {
      const other = part === 'metric' ? 'kl' : 'other';
      expect(store.find({ ...key, [part]: other }, record)).toBeNull();
    }
  });

  test('of a model that is called so come before those of an equal one, else the newest', () => {
    const [first, second, third] = store.add([
      { key, record: { ...record, model: 'one' } },
      { key, record: { ...record, model: 'two' } },
      { key, record: { ...record, model: 'two', base: 'b' } },
    ]);
    expect(store.find(key, { model: 'one', base: null })).toEqual(first);
    expect(store.find(key, { model: 'two', base: null })).toEqual(second);
    expect(store.find(key, { model: 'two', base: 'b' })).toEqual(third);
    expect(store.find(key, { model: 'three', base: null })).toEqual(third);
  });

  test('are all written or, when one cannot be, none', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const broken = { ...record, details: circular as NewEvaluation['details'] };
    expect(() =>
      store.add([
        { key, record },
        { key, record: broken },
      ]),
    ).toThrow(TypeError);
    expect(store.list({})).toEqual([]);
  });

  test('that another version wrote otherwise are passed over', () => {
    const [own] = store.add([{ key, record }]);
    const { machine: _, ...older } = record;
    database.run(
      `INSERT INTO evaluations (metric, model, base, protocol, data, device, measured_at, record)
       VALUES ('perplexity', 'a', '', 'p', 'd', 'cpu', 2000, ?)`,
      JSON.stringify(older),
    );
    expect(store.list({})).toEqual([own]);
    expect(store.find(key, record)).toBeNull();
  });
});

test('a job that another version left open does not keep the library from opening', () => {
  const home = openHome(join(root, 'home'));
  database.run(
    `INSERT INTO jobs (id, created_at, owner, state, fingerprint, asked, job)
     VALUES ('j', 1, '999999999:gone', 'running', '', 'm', '{"id": "j", "kind": "paint"}')`,
  );
  const jobs = jobStore(home, database);
  expect(jobs.list()).toEqual([]);
  expect(() => jobs.get('j')).toThrow('another version of Lathe wrote down this job: j');
  expect(database.get('SELECT state FROM jobs')).toEqual({ state: 'interrupted' });
  jobs.remove('j');
  expect(database.all('SELECT id FROM jobs')).toEqual([]);
});
