import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../main/engine/engine.ts';
import { fromOrpc } from '../../main/engine/errors.ts';
import { forkNode } from '../../main/engine/runner/forkNode.ts';
import type { EngineClient, Job, SweepInput } from '../../preload/contract/index.ts';

let root: string;
let model: string;
let data: string;
let engine: Engine;
let client: EngineClient;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-sweep-')));
  model = join(root, 'parent');
  mkdirSync(model);
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json']) {
    writeFileSync(join(model, name), '{}');
  }
  data = join(root, 'text.txt');
  writeFileSync(data, 'text');
  const startRunner = forkNode(new URL('./fakeRunner.ts', import.meta.url));
  engine = await createEngine({ home: join(root, 'home'), startRunner });
  client = createRouterClient(engine.router);
});
afterEach(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

function sweep(
  names: readonly string[],
  more: Partial<SweepInput> = {},
): Promise<{ ids: string[] }> {
  const recipes = names.map((name) => ({ name, passes: [{ pass: 'quantize-rtn' as const }] }));
  const evaluations = [{ metrics: ['perplexity' as const, 'kl' as const], data }];
  return client.sweep({ model, recipes, evaluations, ...more });
}

async function ended(id: string): Promise<Job> {
  for await (const event of await client.jobs.watch({ id })) void event;
  return client.jobs.get({ id });
}

/** What a job is about: `evaluate parent/fine against …: perplexity`. */
function about(job: Job): string {
  switch (job.kind) {
    case 'compress':
      return `make ${job.name}`;
    case 'evaluate': {
      const { metrics, against } = job.request;
      const to = against === undefined ? '' : ` against ${against === model ? 'parent' : against}`;
      return `evaluate ${job.model}${to}: ${metrics.join(', ')}`;
    }
    case 'bench':
      return `bench ${job.model}`;
  }
}

describe('a sweep', () => {
  test('measures the model, then makes and measures each variant', async () => {
    const { ids } = await sweep(['fine', 'fine'], {
      bench: { promptTokens: 8, newTokens: 4, runs: 1 },
    });
    const jobs = await Promise.all(ids.map((id) => client.jobs.get({ id })));
    expect(jobs.map(about)).toEqual([
      'evaluate parent: perplexity',
      'bench parent',
      'make parent/fine',
      'evaluate parent/fine against parent: perplexity, kl',
      'bench parent/fine',
      'make parent/fine-2',
      'evaluate parent/fine-2 against parent: perplexity, kl',
      'bench parent/fine-2',
    ]);
    expect((await client.jobs.list()).map(({ id }) => id)).toEqual(ids.toReversed());
    const ends = await Promise.all(ids.map(ended));
    expect(ends.filter(({ kind }) => kind !== 'bench').map(({ state }) => state)).toEqual(
      Array<string>(5).fill('finished'),
    );
    const measured = await client.evaluations.list({ metric: 'kl' });
    expect(measured.map(({ model: name, base }) => [name, base])).toEqual([
      ['parent/fine-2', 'parent'],
      ['parent/fine', 'parent'],
    ]);
  });

  test('goes on behind a variant that could not be made, whose measurements say so', async () => {
    const { ids } = await sweep(['full', 'fine']);
    const [own, made, measured, ...rest] = await Promise.all(ids.map(ended));
    expect(own?.state).toBe('finished');
    expect(made).toMatchObject({ state: 'failed', error: { code: 'disk_full' } });
    expect(measured).toMatchObject({
      state: 'failed',
      error: {
        code: 'disk_full',
        message: 'parent/full was not made: no space left on the disk',
      },
    });
    expect(rest.map(({ state }) => state)).toEqual(['finished', 'finished']);
    expect(await client.evaluations.list({ model: 'parent/full' })).toEqual([]);
  });

  test('goes on behind a variant that was cancelled', async () => {
    const { ids } = await sweep(['fine', 'fine']);
    await client.jobs.cancel({ id: ids[1] ?? '' });
    const [, , measured, ...rest] = await Promise.all(ids.map(ended));
    expect(measured).toMatchObject({
      state: 'failed',
      error: { code: 'not_found', message: 'parent/fine was not made: its job was cancelled' },
    });
    expect(rest.map(({ state }) => state)).toEqual(['finished', 'finished']);
  });

  test('can be resumed where the process of a variant ended', async () => {
    const { ids } = await sweep(['crash once']);
    const jobs = await Promise.all(ids.map(ended));
    expect(jobs.map(({ state }) => state)).toEqual(['finished', 'interrupted', 'interrupted']);
    for (const id of ids.slice(1)) await client.jobs.resume({ id });
    const resumed = await Promise.all(ids.map(ended));
    expect(resumed.map(({ state }) => state)).toEqual(['finished', 'finished', 'finished']);
  });

  test.each<[string, () => Partial<SweepInput>, string]>([
    ['a model that is not there', () => ({ model: 'nobody' }), 'not_found'],
    ['no recipes', () => ({ recipes: [] }), 'usage'],
    [
      'data that are not there',
      () => ({ evaluations: [{ metrics: ['kl'], data: 'nothing' }] }),
      'file_missing',
    ],
    [
      'metrics of different data',
      () => ({ evaluations: [{ metrics: ['kl', 'accuracy'], data }] }),
      'usage',
    ],
    [
      'a measurement of speed that cannot be',
      () => ({ bench: { promptTokens: 1e6 } }),
      'context_overflow',
    ],
  ])('is refused at once, as a whole, for %s', async (_, more, code) => {
    const failure = await sweep(['fine'], more()).then(
      () => 'none',
      (error: unknown) => fromOrpc(error).code,
    );
    expect(failure).toBe(code);
    expect(await client.jobs.list()).toEqual([]);
  });
});
