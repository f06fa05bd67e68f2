import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../main/engine/engine.ts';
import { fromOrpc } from '../../main/engine/errors.ts';
import { forkNode } from '../../main/engine/runner/forkNode.ts';
import type {
  EngineClient,
  EngineEvent,
  EvaluateInput,
  Job,
  JobEvent,
} from '../../preload/contract/index.ts';

let root: string;
let engine: Engine;
let client: EngineClient;
let model: string;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-evaluate-')));
  model = writeModel('model', 'weights');
  for (const name of ['text', 'other', 'crash once', 'hang', 'full']) {
    writeFileSync(join(root, `${name}.txt`), name);
  }
  await open();
});
afterEach(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

async function open(): Promise<void> {
  const startRunner = forkNode(new URL('./fakeRunner.ts', import.meta.url));
  engine = await createEngine({ home: join(root, 'home'), startRunner });
  client = createRouterClient(engine.router);
}

function writeModel(name: string, weights: string): string {
  const path = join(root, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'config.json'), '{}');
  writeFileSync(join(path, 'model.safetensors'), weights);
  return path;
}

async function start(more: Partial<EvaluateInput> = {}): Promise<string> {
  const data = join(root, 'text.txt');
  const request: EvaluateInput = { model, metrics: ['perplexity'], data, ...more };
  const { ids } = await client.evaluations.start({ requests: [request] });
  return ids[0] ?? '';
}

/** Watches a job to its end. */
async function ended(id: string, onEvent?: (event: JobEvent) => void): Promise<Job> {
  let last: Job | null = null;
  for await (const event of await client.jobs.watch({ id })) {
    if (event.kind === 'job') last = event.job;
    onEvent?.(event);
  }
  if (last === null) throw new Error('a watched job says how it stands');
  return last;
}

/** What was measured anew and what was known. */
async function evaluate(more: Partial<EvaluateInput> = {}) {
  const job = await ended(await start(more));
  if (job.kind !== 'evaluate' || job.result === null) throw new Error(JSON.stringify(job));
  const known = job.log.flatMap(({ text }) => /^measured before: (.+)$/.exec(text)?.[1] ?? []);
  return { known: known.join(), results: job.result.map(({ metric }) => metric).join() };
}

const failure = async (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => fromOrpc(error).code,
  );

const recorded = async () => (await client.evaluations.list({})).length;
const anew = { known: '', results: 'perplexity' };
const again = { known: 'perplexity', results: 'perplexity' };

describe('an evaluation', () => {
  test('is measured once, and again only when that is asked for', async () => {
    expect(await evaluate()).toEqual(anew);
    expect(await evaluate()).toEqual(again);
    expect(await evaluate({ again: true })).toEqual(anew);
    expect(
      await evaluate({ metrics: ['calibration-error', 'perplexity', 'bits-per-byte'] }),
    ).toEqual({ known: 'perplexity', results: 'calibration-error,perplexity,bits-per-byte' });
    expect(await recorded()).toBe(4);
  });

  test('is another one with another model, base, data, or protocol', async () => {
    await evaluate();
    const second = writeModel('second', 'others');
    const records = join(root, 'records.jsonl');
    writeFileSync(records, JSON.stringify({ text: 'one', story: 'another' }));
    const changes: Record<string, () => Partial<EvaluateInput>> = {
      data: () => ({ data: join(root, 'other.txt') }),
      records: () => ({ data: records }),
      model: () => ({ model: second }),
      base: () => ({ against: second }),
      limit: () => ({ limit: 3 }),
      seed: () => ({ seed: 1 }),
      long: () => ({ long: 'refuse' }),
      fields: () => ({ data: records, fields: { text: 'story' } }),
      content: () => (writeFileSync(join(root, 'text.txt'), 'changed'), {}),
      weights: () => (writeModel('model', 'new weights'), {}),
    };
    for (const [name, change] of Object.entries(changes)) {
      expect([name, await evaluate(change())]).toEqual([name, anew]);
    }
  });

  test('knows an equal model by its content, whatever its folder', async () => {
    await evaluate();
    const elsewhere = writeModel('elsewhere', 'weights');
    for (let time = 0; time < 2; time++) {
      expect(await evaluate({ model: elsewhere })).toEqual(again);
    }
    const [copy, first, ...more] = await client.evaluations.list({});
    expect(more).toEqual([]);
    expect(copy).toEqual({ ...first, id: copy?.id, model: 'elsewhere' });
  });

  test('tells how far it is, and everybody when there is something measured', async () => {
    const told: EngineEvent['kind'][] = [];
    const stop = new AbortController();
    const events = await client.system.events(undefined, { signal: stop.signal });
    const listening = (async () => {
      for await (const event of events) told.push(event.kind);
    })().catch(() => undefined);
    const details: string[] = [];
    const job = await ended(await start(), (event) => {
      if (event.kind === 'progress') details.push(event.progress.detail);
    });
    expect(details).toContainEqual(expect.stringMatching(/^beat \d$/));
    expect(job).toMatchObject({ kind: 'evaluate', model: 'model', request: { seed: 0 } });
    await client.evaluations.remove({ id: (await client.evaluations.list({}))[0]?.id ?? -1 });
    stop.abort();
    await listening;
    expect(told.filter((kind) => kind === 'measurements-changed')).toHaveLength(2);
  });

  test.each(['text', 'hang'])('of %s that is cancelled is over within a second', async (data) => {
    const id = await start({ data: join(root, `${data}.txt`) });
    for await (const event of await client.jobs.watch({ id })) {
      if (event.kind === 'progress' && event.progress.fraction >= 0.5) break;
    }
    const before = performance.now();
    expect(await client.jobs.cancel({ id })).toMatchObject({ state: 'cancelled', result: null });
    expect(performance.now() - before).toBeLessThan(1000);
    expect(await recorded()).toBe(0);
    expect(readdirSync(join(root, 'home', 'jobs'))).toEqual([]);
  });

  test('does not hold up a model that is loaded', async () => {
    const prompt = { kind: 'completion' as const, text: 'answer' };
    const generate = async (): Promise<number> => {
      let tokens = 0;
      for await (const { kind } of await client.generate({ model, prompt, maxTokens: 3 })) {
        if (kind === 'token') tokens++;
      }
      return tokens;
    };
    expect(await generate()).toBe(3);
    const id = await start({ data: join(root, 'hang.txt') });
    for await (const event of await client.jobs.watch({ id })) {
      if (event.kind === 'progress' && event.progress.fraction >= 0.5) break;
    }
    expect(await generate()).toBe(3);
    expect((await client.runners.list()).map(({ kind }) => kind)).toEqual(['ready']);
    await client.jobs.cancel({ id });
  });

  test('whose process ends goes on where it was, and is recorded once it is complete', async () => {
    const job = await ended(await start({ data: join(root, 'crash once.txt') }));
    expect(job).toMatchObject({ state: 'interrupted', error: { code: 'runner_crashed' } });
    expect(await recorded()).toBe(0);
    expect(readdirSync(join(root, 'home', 'jobs'))).toEqual([job.id]);
    await engine.close();
    await open();
    await client.jobs.resume({ id: job.id });
    const resumed = await ended(job.id);
    expect(resumed).toMatchObject({ state: 'finished', error: null });
    expect(resumed.log.map(({ text }) => text)).toContain('going on behind item 5');
    expect(await recorded()).toBe(1);
    expect(readdirSync(join(root, 'home', 'jobs'))).toEqual([]);
  });

  test('that fails says why, and leaves nothing', async () => {
    const job = await ended(await start({ data: join(root, 'full.txt') }));
    expect(job).toMatchObject({ state: 'failed', error: { code: 'disk_full' }, result: null });
    expect(await recorded()).toBe(0);
    expect(readdirSync(join(root, 'home', 'jobs'))).toEqual([]);
  });

  test('of data that changed before it began is one of the data as they are', async () => {
    const id = await start();
    writeFileSync(join(root, 'text.txt'), 'changed');
    await ended(id);
    expect(await evaluate()).toEqual(again);
  });
});

describe('starting evaluations', () => {
  test.each<[string, () => Partial<EvaluateInput>, string]>([
    ['metrics of different data', () => ({ metrics: ['perplexity', 'accuracy'] }), 'usage'],
    ['a metric without its base', () => ({ metrics: ['kl'] }), 'usage'],
    ['a set that is not there', () => ({ data: 'nothing-of-this-name' }), 'file_missing'],
    ['a file that is not there', () => ({ data: join(root, 'none.txt') }), 'file_missing'],
    ['a folder', () => ({ data: root }), 'file_malformed'],
    ['a model that is not there', () => ({ model: 'nobody' }), 'not_found'],
    ['a base that is not there', () => ({ against: 'nobody' }), 'not_found'],
    ['a missing field', () => ({ data: written('a.jsonl', '{"txt": "a"}') }), 'file_malformed'],
    ['an empty document', () => ({ data: written('a.json', '["a", ""]') }), 'file_malformed'],
    ['data of another kind', () => ({ metrics: ['minimal-pairs'] }), 'file_malformed'],
    ['bytes that are no text', () => ({ data: written('a.txt', '\xff\xfe') }), 'file_malformed'],
    ['an unknown field', () => ({ fields: { answer: 'x' } }), 'usage'],
    ['no metrics', () => ({ metrics: [] }), 'usage'],
  ])('is refused at once for %s', async (_, more, code) => {
    expect(await failure(start(more()))).toBe(code);
    expect(await client.jobs.list()).toEqual([]);
  });

  test('is refused for a model that needs more memory than it may use', async () => {
    await client.system.saveSettings({ memoryLimitBytes: 20e6 });
    expect(await failure(start())).toBe('memory_limit');
  });

  test('is refused as a whole where one of several cannot be', async () => {
    const data = join(root, 'text.txt');
    const good = { model, metrics: ['perplexity' as const], data };
    const requests = [good, { ...good, data: 'nothing-of-this-name' }];
    expect(await failure(client.evaluations.start({ requests }))).toBe('file_missing');
    expect(await client.jobs.list()).toEqual([]);
  });
});

function written(name: string, text: string): string {
  writeFileSync(join(root, name), text, 'latin1');
  return join(root, name);
}

describe('measurements', () => {
  test('are listed newest first, by model and metric, and forgotten one by one', async () => {
    const second = writeModel('second', 'others');
    await evaluate({ metrics: ['perplexity', 'bits-per-byte'] });
    await evaluate({ model: second });
    const all = await client.evaluations.list({});
    expect(all.map(({ model: name, metric }) => `${name} ${metric}`)).toEqual([
      'second perplexity',
      'model bits-per-byte',
      'model perplexity',
    ]);
    expect(all[0]).toMatchObject({
      machine: { platform: `${process.platform}-${process.arch}` },
      versions: { node: process.version },
    });
    expect(await client.evaluations.list({ metric: 'perplexity' })).toEqual([all[0], all[2]]);
    expect(await client.evaluations.list({ model: 'model' })).toEqual(all.slice(1));
    expect(await client.evaluations.list({ model: 'model', metric: 'kl' })).toEqual([]);
    const id = all[2]?.id ?? -1;
    await client.evaluations.remove({ id });
    expect(await client.evaluations.list({})).toEqual(all.slice(0, 2));
    expect(await failure(client.evaluations.remove({ id }))).toBe('not_found');
    expect(await evaluate()).toEqual(anew);
  });
});
