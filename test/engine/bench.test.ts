import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BenchInput, EngineClient, EngineEvent, Job } from '../../preload/contract/index.ts';
import { createEngine, type Engine } from '../../main/engine/engine.ts';
import { fromOrpc } from '../../main/engine/errors.ts';
import { forkNode } from '../../main/engine/runner/forkNode.ts';

let root: string;
let home: string;
let engine: Engine;
let client: EngineClient;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-bench-')));
  home = join(root, 'home');
  const startRunner = forkNode(new URL('./fakeRunner.ts', import.meta.url));
  engine = await createEngine({ home, startRunner, limits: { cancelMs: 300, measuringMs: 4000 } });
  client = createRouterClient(engine.router);
});
afterEach(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

function writeModel(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  writeFileSync(join(path, 'config.json'), '{}');
  writeFileSync(join(path, 'model.safetensors'), `weights of ${name}`);
  return path;
}

const sizes = { promptTokens: 16, newTokens: 8 };

async function start(model: string, more: Partial<BenchInput> = {}): Promise<string> {
  const { ids } = await client.benches.start({ requests: [{ model, ...sizes, ...more }] });
  return ids[0];
}

async function ended(id: string, onProgress?: () => void): Promise<Job> {
  let last: Job | null = null;
  for await (const event of await client.jobs.watch({ id })) {
    if (event.kind === 'job') last = event.job;
    if (event.kind === 'progress') onProgress?.();
  }
  if (last === null) throw new Error('a watched job says how it stands');
  return last;
}

/** Files that a measurement left behind. */
const leftovers = (): string[] =>
  ['jobs', join('cache', 'graphs')].flatMap((name) => readdirSync(join(home, name)));

const refusal = (model: string, more: Partial<BenchInput>) =>
  start(model, more).then(
    () => 'none',
    (error: unknown) => fromOrpc(error).code,
  );

describe('a measurement of speed', () => {
  test('is kept with what it was measured on, what was asked for, and memory seen from outside', async () => {
    const job = await ended(await start(writeModel('good')));
    if (job.kind !== 'bench') throw new Error(job.kind);
    const [record, ...others] = await client.benches.list({});
    expect(others).toEqual([]);
    expect(record).toEqual(job.result);
    expect(await client.benches.samples({ id: record.id })).toEqual(Float64Array.of(1));
    expect(record).toMatchObject({
      model: 'good',
      request: { ...sizes, runs: 5, contexts: [], load: false },
      device: 'cpu',
      cacheBytes: 8 * 4 * (16 + 8),
      fileBytes: 40,
      machine: { platform: `${process.platform}-${process.arch}` },
      memory: { phases: [{ phase: 'load' }] },
    });
    // The runner took 64 MB and said nothing of it.
    expect(record.peakRssBytes).toBeGreaterThan(64 * 2 ** 20);
    expect(record.peakRssBytes).toBe(record.memory.phases[0].peakBytes);
    expect(leftovers()).toEqual([]);
  });

  test('is told to everybody when it is there, and when it is removed', async () => {
    const told: EngineEvent['kind'][] = [];
    const stop = new AbortController();
    const events = await client.system.events(undefined, { signal: stop.signal });
    const listening = (async () => {
      for await (const { kind } of events) if (kind === 'measurements-changed') told.push(kind);
    })().catch(() => undefined);
    await ended(await start(writeModel('good')));
    await vi.waitFor(() => expect(told).toHaveLength(1));
    const [{ id }] = await client.benches.list({});
    await client.benches.remove({ id });
    await vi.waitFor(() => expect(told).toHaveLength(2));
    expect(await client.benches.list({})).toEqual([]);
    stop.abort();
    await listening;
  });

  test('that is cancelled leaves no record and no file', async () => {
    const id = await start(writeModel('good'));
    const job = await ended(id, () => void client.jobs.cancel({ id }));
    expect(job.state).toBe('cancelled');
    expect(await client.benches.list({})).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  test.each([
    ['dies', 'crash-bench', 'runner_crashed'],
    ['is stuck', 'hang-bench', 'runner_hung'],
  ])('whose process %s leaves no record and no file', async (_, name, code) => {
    const job = await ended(await start(writeModel(name)));
    expect(job.error?.code).toBe(code);
    expect(await client.benches.list({})).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  test('waits until nothing else runs, and what comes later waits for it', async () => {
    const model = writeModel('good');
    const order: string[] = [];
    const generate = async (name: string, maxTokens: number): Promise<void> => {
      const prompt = { kind: 'completion' as const, text: 'go' };
      for await (const event of await client.generate({ model, prompt, maxTokens }))
        if (event.kind === 'start' || event.kind === 'finish') order.push(`${name} ${event.kind}`);
    };
    const first = generate('first', 60);
    await vi.waitFor(() => expect(order).toEqual(['first start']), 10_000);
    const id = await start(model);
    const measuring = ended(id).then(() => order.push('measured'));
    await vi.waitFor(async () => {
      const { progress } = await client.jobs.get({ id });
      expect(progress?.detail).toBe('waiting for another run');
    });
    const second = generate('second', 1);
    await Promise.all([first, measuring, second]);
    expect(order.filter((one) => one !== 'measured')).toEqual([
      'first start',
      'first finish',
      'second start',
      'second finish',
    ]);
    // The job ends a moment behind its turn.
    expect(order.indexOf('measured')).toBeGreaterThan(1);
  });
});

describe('what cannot be measured is refused at once', () => {
  test.each<[string, Partial<BenchInput>, string]>([
    ['an unknown model', {}, 'not_found'],
    ['a prompt longer than the context', { promptTokens: 57 }, 'context_overflow'],
    ['a context of the sweep that is too long', { contexts: [8, 57] }, 'context_overflow'],
    ['more rows than may be', { batches: [65] }, 'usage'],
    ['a single new token', { newTokens: 1 }, 'usage'],
  ])('%s', async (name, more, code) => {
    const model = name === 'an unknown model' ? 'nobody' : writeModel('good');
    expect(await refusal(model, more)).toBe(code);
    expect(await client.jobs.list()).toEqual([]);
  });

  test('keys and values that are more than the memory', async () => {
    // 150 MB are reckoned for the process, 47 kB for the model and a short text.
    await client.system.saveSettings({ memoryLimitBytes: 150e6 + 80e3 });
    const model = writeModel('good');
    expect(await refusal(model, { batches: [64] })).toBe('memory_limit');
    expect(await client.jobs.list()).toEqual([]);
    expect(await refusal(model, { batches: [16] })).toBe('none');
  });
});
