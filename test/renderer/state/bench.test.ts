import { describe, expect, it, vi } from 'vitest';
import { benchRequestSchema, type BenchRecord } from '../../../preload/contract/index.ts';
import {
  benchJobs,
  mostShown,
  shownIds,
  type BenchSummary,
} from '../../../renderer/state/bench.ts';
import { driftOf, isDrift } from '../../../renderer/state/benchDrift.ts';
import { figuresOf } from '../../../renderer/state/benchFigures.ts';
import {
  figuresTable,
  memoryTable,
  operatorsTable,
  samplesTable,
  sweepTable,
} from '../../../renderer/state/benchFiles.ts';
import { blockTimes, groupOperators } from '../../../renderer/state/benchOperators.ts';
import {
  cleanStops,
  estimateOf,
  firstSetup,
  problemsOf,
  readSetup,
  runsFor,
  samplesOf,
  usualStops,
  type BenchSetup,
} from '../../../renderer/state/benchSetup.ts';
import { changesBetween } from '../../../renderer/state/drift.ts';
import { noMemory, type Memory } from '../../../renderer/state/memory.ts';
import { createModelColors } from '../../../renderer/state/modelColors.ts';
import { costOf, createPrice } from '../../../renderer/state/price.ts';
import { createStudio } from '../../../renderer/state/studio.ts';
import { withSweeps } from '../fakeBench.ts';
import { createFakeEngine, type FakeOptions } from '../fakeEngine.ts';
import { benchOf, circumstances } from '../fakeMeasurements.ts';
import { records } from '../fakeModels.ts';

const [tiny, large] = records as unknown as [(typeof records)[0], (typeof records)[0]];
const setup = (part: Partial<BenchSetup>): BenchSetup => ({
  ...firstSetup,
  models: ['tiny-stories'],
  ...part,
});

/** Remembers at once what it is told. */
function rememberingMemory(): Memory & { readonly kept: Map<string, unknown> } {
  const kept = new Map<string, unknown>();
  return {
    kept,
    read: (key) => (kept.has(key) ? JSON.stringify(kept.get(key)) : null),
    write: (key, value) => void kept.set(key, value),
  };
}

async function open(options: FakeOptions = {}, memory: Memory = noMemory) {
  const engine = createFakeEngine(options);
  const host = {
    mac: false,
    chooseFolder: null,
    openExternal: () => {},
    copy: () => Promise.resolve(),
  };
  const studio = createStudio(engine, { host, memory, frame: (then) => then() });
  await vi.waitFor(() =>
    expect(studio.bench.store.getState().setup.models).toEqual(['tiny-stories']),
  );
  return studio;
}

const jobOf = (id: string, result: BenchRecord | null): BenchSummary => ({
  id,
  kind: 'bench',
  model: 'tiny-stories',
  request: benchRequestSchema.parse({ model: 'tiny-stories' }),
  state: result ? 'finished' : 'running',
  progress: null,
  createdAt: 0,
  startedAt: 0,
  endedAt: null,
  error: null,
  result,
});

const measuredAs = (id: number, part: Partial<BenchRecord>) =>
  benchOf(tiny, 320, { id, measuredAt: id * 1000, ...part });
const timed = (p50: number) => ({ decode: { samples: 320, p50, tokensPerSecond: 1000 / p50 } });

describe('what is to be measured', () => {
  it('fits the shortest context of the models, stops of a sweep included', () => {
    expect(problemsOf(setup({ promptTokens: 448 }), [tiny, large])).toEqual({});
    expect(
      problemsOf(setup({ promptTokens: 449, contexts: [16, 449, 512] }), [large, tiny]),
    ).toEqual({
      promptTokens: '449 + 64 tokens do not fit the 512 of tiny-stories',
      contexts: 'With 64 new tokens, too long for the 512 of tiny-stories: 449, 512',
    });
    expect(problemsOf(setup({}), [])).toEqual({ models: 'Choose a model to measure' });
  });

  it('offers stops up to the end of the context and to the last core', () => {
    expect(usualStops('contexts', setup({}), [tiny, large], 8)).toEqual([
      16, 32, 64, 128, 256, 448,
    ]);
    expect(usualStops('contexts', setup({}), [large], 8)).toEqual([
      64, 128, 256, 512, 1024, 2048, 4096, 8128,
    ]);
    expect(usualStops('contexts', setup({ newTokens: 512 }), [tiny], 8)).toEqual([]);
    expect(usualStops('threadCounts', setup({}), [tiny], 6)).toEqual([1, 2, 4, 6]);
    expect(usualStops('threadCounts', setup({}), [tiny], 1)).toEqual([1]);
  });

  it('takes only stops that the engine takes, in order and each once', () => {
    expect(cleanStops('batches', [8, 2, 2.5, Number.NaN, 0, 2, 65, 64])).toEqual([2, 8, 64]);
  });

  it('knows how many samples it gives and how many runs a percentile needs', () => {
    expect(samplesOf(setup({ runs: 16 }))).toBe(1024);
    expect([runsFor(1000, setup({})), runsFor(10_000, setup({}))]).toEqual([16, 157]);
  });

  it('is remembered, but not what no longer fits the contract', () => {
    expect(readSetup({ runs: 16, models: ['a'] })).toEqual({
      ...firstSetup,
      runs: 16,
      models: ['a'],
    });
    expect(readSetup({ runs: -1, models: ['a'] })).toEqual(firstSetup);
  });

  it('lasts as long as what was measured before says, stops and models added up', () => {
    const before = benchOf(tiny, 320, {
      loadMs: 100,
      prefill: { samples: 5, p50: 256, tokensPerSecond: 500 },
      decode: { samples: 3, mean: 10, p50: 8, tokensPerSecond: 125 },
      request: benchRequestSchema.parse({ model: 'tiny-stories', promptTokens: 128 }),
    });
    // Six rounds, one of them to warm up, of 256 ms for the prompt and 640 ms for the tokens.
    const once = 100 + 6 * (256 + 640);
    expect(estimateOf(setup({}), [tiny], [before])).toEqual({ ms: once, isMeasured: true });
    expect(estimateOf(setup({ contexts: [64] }), [tiny], [before]).ms).toBe(once + 6 * (128 + 640));
    expect(estimateOf(setup({ threadCounts: [1, 2] }), [tiny], [before]).ms).toBe(3 * once);
    expect(estimateOf(setup({}), [tiny, large], [before]).isMeasured).toBe(false);
  });
});

describe('measurements that are shown', () => {
  const kept = [5, 4, 3, 2, 1].map((id) => benchOf(tiny, 12, { id }));
  const state = { setup: firstSetup, batch: [], chosen: null };

  it('are what the last jobs gave, in the order they were queued; before that the newest', () => {
    const jobs = [jobOf('c', null), jobOf('b', kept[1] ?? null), jobOf('a', kept[2] ?? null)];
    expect(shownIds(state, jobs, kept)).toEqual([5]);
    expect(shownIds({ ...state, batch: ['a', 'b', 'c'] }, jobs, kept)).toEqual([3, 4]);
    expect(shownIds({ ...state, batch: ['c'] }, jobs, kept)).toEqual([5]);
    expect(shownIds(state, jobs, [])).toEqual([]);
  });

  it('are those that were chosen, as long as they are there', () => {
    expect(shownIds({ ...state, batch: ['a'], chosen: [2, 99, 1] }, [], kept)).toEqual([2, 1]);
  });

  it('are at most four: the first choice makes room', async () => {
    const studio = await open();
    studio.bench.toggle(5, [1, 2, 3, 4]);
    expect(studio.bench.store.getState().chosen).toEqual([2, 3, 4, 5]);
    studio.bench.toggle(3, [2, 3, 4, 5]);
    expect(studio.bench.store.getState().chosen).toEqual([2, 4, 5]);
    expect(mostShown).toBe(4);
    studio.close();
  });

  it('come of a queue of several models', async () => {
    const studio = await open();
    studio.bench.change({ models: ['tiny-stories', 'SmolLM2-135M-Instruct'], contexts: [16] });
    await studio.runBench();
    const { bench, jobs, measurements } = studio;
    await vi.waitFor(() => expect(measurements.store.getState().benches).toHaveLength(2));
    const all = measurements.store.getState().benches ?? [];
    await vi.waitFor(() => {
      const ids = shownIds(bench.store.getState(), benchJobs(jobs.store.getState()), all);
      expect(ids.map((id) => all.find((record) => record.id === id)?.model)).toEqual([
        'tiny-stories',
        'SmolLM2-135M-Instruct',
      ]);
    });
    studio.close();
  });

  it('a set-up that is not complete is not queued', async () => {
    const studio = await open();
    studio.bench.change({ promptTokens: 500 });
    await studio.runBench();
    expect(benchJobs(studio.jobs.store.getState())).toEqual([]);
    studio.close();
  });

  it('models that are gone are left out of the set-up; the embedded one stands in for none', async () => {
    const studio = await open();
    studio.bench.change({ models: ['gone', 'SmolLM2-135M-Instruct'] });
    studio.bench.adopt(records);
    expect(studio.bench.store.getState().setup.models).toEqual(['SmolLM2-135M-Instruct']);
    studio.bench.adopt([tiny]);
    expect(studio.bench.store.getState().setup.models).toEqual(['tiny-stories']);
    studio.close();
  });
});

describe('drift', () => {
  it('compares with the last measurement of the same weights and set-up', () => {
    const first = measuredAs(1, timed(10));
    const otherSetup = measuredAs(2, {
      ...timed(3),
      request: benchRequestSchema.parse({ model: 'tiny-stories', batch: 2 }),
    });
    const otherModel = measuredAs(3, { ...timed(4), modelSha256: 'other' });
    const last = measuredAs(4, { ...timed(12), threads: 2 });
    const all = [last, otherModel, otherSetup, first];
    expect(driftOf(first, all)).toBeNull();
    const drift = driftOf(last, all);
    expect(drift).toEqual({ before: first, ratio: 1.2, changes: ['threads 4 → 2'] });
    expect(drift && isDrift(drift)).toBe(true);
    expect(isDrift({ before: first, ratio: 1.04, changes: [] })).toBe(false);
  });

  it('names every circumstance that changed', () => {
    const after = {
      ...circumstances,
      versions: { lathe: '0.1.0', node: '24.21.0', onnxruntime: '1.31.0' },
      machine: { ...circumstances.machine, memoryBytes: 16e9, release: '6.13.0' },
    };
    expect(changesBetween(circumstances, circumstances)).toEqual([]);
    expect(changesBetween(circumstances, after)).toEqual([
      'onnxruntime 1.30.0 → 1.31.0',
      'memory 33.5 GB → 16.0 GB',
      'kernel 6.12.0 → 6.13.0',
    ]);
  });
});

describe('figures', () => {
  const few = benchOf(tiny, 320, { joulesPerToken: null });
  const none = { perHour: null };

  it('say why they are absent, and are never zero instead', () => {
    const absent = figuresOf(few, none).filter(({ value }) => value === null);
    expect(absent.map(({ key, note }) => [key, note])).toEqual([
      ['p99', 'needs 1,000 samples, has 320'],
      ['p999', 'needs 10,000 samples, has 320'],
      ['joules', 'no energy counter can be read here'],
      ['cost', 'needs a price per hour'],
    ]);
  });

  it('reckon the cost of a million tokens: 100 a second for 0.36 an hour are 1', () => {
    expect(costOf(100, { perHour: 0.36 })).toBeCloseTo(1, 12);
  });

  it('are a table with a column for each measurement', () => {
    const both = [few, benchOf(large, 1200)];
    const table = figuresTable(
      both,
      both.map((record) => figuresOf(record, none)),
    );
    expect(table.header).toEqual(['figure', 'unit', 'tiny-stories', 'SmolLM2-135M-Instruct']);
    expect(table.rows.find(([name]) => name === 'Inter-token latency, P99')).toEqual([
      'Inter-token latency, P99',
      'ms',
      null,
      both[1]?.decode.p99,
    ]);
  });

  it('give every stop of a sweep and every moment of the memory to a file', () => {
    const swept = withSweeps({ ...few, request: { ...few.request, contexts: [16, 64] } });
    const stops = sweepTable(({ contexts }) => contexts, 'prompt_tokens', [swept, few]);
    expect(stops.header.slice(0, 3)).toEqual(['model', 'prompt_tokens', 'ttft_p50_ms']);
    expect(stops.rows.map((row) => row.slice(0, 3))).toEqual(
      swept.contexts.map(({ at, ttft }) => ['tiny-stories', at, ttft.p50]),
    );
    const memory = memoryTable([few]).rows;
    expect(memory.map(([, ms, , phase]) => [ms, phase])).toEqual([
      [0, 'load'],
      [200, 'load'],
      [400, 'prefill'],
      [600, 'decode'],
      [800, 'decode'],
    ]);
  });

  it('give every sample to a file', () => {
    const { rows } = samplesTable([few], [Float64Array.from(few.decodeMs)]);
    expect(rows).toHaveLength(320);
    expect(rows[7]).toEqual(['tiny-stories', '2026-03-02T09:00:00.000Z', 7, few.decodeMs[7]]);
  });
});

describe('operators', () => {
  const request = benchRequestSchema.parse({ model: 'tiny-stories', profile: true });
  const operators = withSweeps(benchOf(tiny, 320, { request })).operators ?? [];
  const total = operators.reduce((sum, { decodeMs }) => sum + decodeMs, 0);

  it('add up to the same whole however they are grouped', () => {
    for (const by of ['operator', 'block', 'node'] as const) {
      const rows = groupOperators(operators, by);
      expect(rows.reduce((sum, { decodeMs }) => sum + decodeMs, 0)).toBeCloseTo(total, 10);
      expect(rows.reduce((sum, { decodeShare }) => sum + decodeShare, 0)).toBeCloseTo(1, 10);
      expect(rows.reduce((sum, { nodes }) => sum + nodes, 0)).toBe(operators.length);
    }
    expect(groupOperators(operators, 'block').map(({ name }) => name)).toContain(
      'outside the blocks',
    );
  });

  it('stand in the order of the blocks, those outside of all at the end', () => {
    const blocks = blockTimes(operators.toReversed(), 'prefill');
    expect(blocks.map(({ name }) => name)).toEqual(['0', '1', '2', '3', '4', 'outside']);
    expect(blocks[0]?.parts).toHaveLength(8);
  });

  it('without any time have no shares', () => {
    const idle = operators.map((operator) => ({ ...operator, prefillMs: 0, decodeMs: 0 }));
    expect(groupOperators(idle, 'operator').every(({ decodeShare }) => decodeShare === 0)).toBe(
      true,
    );
  });

  it('give every node to a file', () => {
    expect(operatorsTable(operators).rows).toHaveLength(operators.length);
  });
});

describe('what is remembered', () => {
  it('the price of an hour, and no price that is none', () => {
    const memory = rememberingMemory();
    createPrice(memory).set(0.42);
    expect(createPrice(memory).store.getState().perHour).toBe(0.42);
    createPrice(memory).set(-1);
    expect(createPrice(memory).store.getState().perHour).toBeNull();
  });

  it('the colour of a model, whatever is asked for first', () => {
    const memory = rememberingMemory();
    const first = createModelColors(memory);
    const given = ['a', 'b', 'c'].map((name) => first.of(name));
    const later = createModelColors(memory);
    expect(['c', 'b', 'a'].map((name) => later.of(name))).toEqual(given.toReversed());
    expect(new Set(given).size).toBe(3);
  });

  it('seven models have colours of their own; the eighth repeats one', () => {
    const colors = createModelColors(noMemory);
    const given = Array.from({ length: 8 }, (_, index) => colors.of(`model-${index}`));
    expect(new Set(given.slice(0, 7)).size).toBe(7);
    expect(given[7]).toBe(given[0]);
  });
});
