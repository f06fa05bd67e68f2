import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  CompressJob,
  EngineClient,
  EngineEvent,
  Job,
  JobEvent,
} from '../../../preload/contract/index.ts';
import { createEngine, type Engine } from '../../../main/engine/engine.ts';
import { fromOrpc } from '../../../main/engine/errors.ts';
import type { Limits } from '../../../main/engine/runner/limits.ts';
import { forkNode } from '../../../main/engine/runner/forkNode.ts';

let root: string;
let home: string;
let folder: string;
let engine: Engine;
let client: EngineClient;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-jobs-')));
  home = join(root, 'home');
  folder = join(root, 'parent');
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), '{}');
  writeFileSync(join(folder, 'model.safetensors'), 'weights');
  writeFileSync(join(folder, 'tokenizer.json'), 'tokens');
  writeFileSync(join(folder, 'LICENSE'), 'MIT');
  await open();
});
afterEach(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

async function open(limits: Partial<Limits> = {}): Promise<void> {
  const startRunner = forkNode(new URL('../fakeRunner.ts', import.meta.url));
  engine = await createEngine({ home, startRunner, limits: { pollMs: 50, ...limits } });
  client = createRouterClient(engine.router);
}

const recipe = (name: string) => ({ name, passes: [{ pass: 'quantize-rtn' as const }] });

async function start(...names: string[]): Promise<string[]> {
  const { ids } = await client.compress.start({ model: folder, recipes: names.map(recipe) });
  return ids;
}

/** Watches a job to its end. */
async function ended(id: string, onEvent?: (event: JobEvent) => void): Promise<CompressJob> {
  let last: Job | null = null;
  for await (const event of await client.jobs.watch({ id })) {
    if (event.kind === 'job') last = event.job;
    onEvent?.(event);
  }
  if (last?.kind !== 'compress') throw new Error('a watched job says how it stands');
  return last;
}

async function run(name: string): Promise<CompressJob> {
  const [id = ''] = await start(name);
  return ended(id);
}

const failure = async (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => fromOrpc(error).code,
  );

/** What lies under the home besides database and caches. */
const leftovers = (): string[] =>
  ['jobs', 'models', 'variants'].flatMap((name) => readdirSync(join(home, name)));

describe('a job', () => {
  test('ends with a variant that says what it was made from and how', async () => {
    const job = await run('fine');
    expect(job).toMatchObject({ state: 'finished', name: 'parent/fine', model: 'parent' });
    const models = await client.models.list();
    const record = models.find(({ name }) => name === 'parent/fine');
    expect(record).toEqual(job.result);
    expect(record).toMatchObject({ parent: 'parent', source: 'library' });
    const variant = join(home, 'variants', 'parent', 'fine');
    expect(readdirSync(variant).toSorted()).toEqual([
      'LICENSE',
      'config.json',
      'lathe.json',
      'model.onnx',
      'tokenizer.json',
    ]);
    expect(readFileSync(join(variant, 'model.onnx'), 'utf8')).toBe('made by fine');
    expect(await client.models.report({ model: 'parent/fine' })).toMatchObject({
      parent: 'parent',
      recipe: { name: 'fine', passes: [{ pass: 'quantize-rtn', bits: 4 }] },
      versions: { node: process.version },
    });
    expect(readdirSync(join(home, 'jobs'))).toEqual([]);
  });

  test('tells whoever watches how it goes on, and everybody of its states', async () => {
    const told: EngineEvent['kind'][] = [];
    const stop = new AbortController();
    const events = await client.system.events(undefined, { signal: stop.signal });
    const listening = (async () => {
      for await (const event of events) told.push(event.kind);
    })().catch(() => undefined);
    const states: string[] = [];
    let beats = 0;
    const [id = ''] = await start('fine');
    await ended(id, (event) => {
      if (event.kind === 'job' && states.at(-1) !== event.job.state) states.push(event.job.state);
      if (event.kind === 'progress') beats++;
    });
    expect(states).toEqual(['queued', 'running', 'finished']);
    expect(beats).toBeGreaterThan(0);
    stop.abort();
    await listening;
    expect(told.filter((kind) => kind === 'jobs-changed').length).toBeGreaterThanOrEqual(3);
    expect(told).toContain('models-changed');
  });

  test('waits until the one before it has ended', async () => {
    const ids = await start('fine', 'fine', 'fine');
    const jobs = await Promise.all(ids.map((id) => ended(id)));
    expect(jobs.map(({ name }) => name)).toEqual(['parent/fine', 'parent/fine-2', 'parent/fine-3']);
    for (const [at, { startedAt }] of jobs.slice(1).entries()) {
      expect(startedAt).toBeGreaterThanOrEqual(jobs[at].endedAt ?? Infinity);
    }
  });

  test.each(['running', 'queued'])('that is cancelled while %s leaves nothing', async (when) => {
    const [first = '', second = ''] = await start('fine', 'fine');
    const id = when === 'running' ? first : second;
    for await (const event of await client.jobs.watch({ id: first })) {
      if (event.kind === 'progress' && event.progress.fraction > 0.2) break;
    }
    const job = await client.jobs.cancel({ id });
    expect(job).toMatchObject({ state: 'cancelled', result: null, error: null });
    expect((await ended(first === id ? second : first)).state).toBe('finished');
    expect(readdirSync(join(home, 'jobs'))).toEqual([]);
    expect(readdirSync(join(home, 'variants', 'parent'))).toHaveLength(1);
  });

  test('that hangs is cancelled all the same', async () => {
    const [id = ''] = await start('hang');
    for await (const event of await client.jobs.watch({ id })) {
      if (event.kind === 'progress' && event.progress.fraction >= 0.5) break;
    }
    expect((await client.jobs.cancel({ id })).state).toBe('cancelled');
    expect(leftovers()).toEqual([]);
  });

  test('that fails says why, and leaves nothing', async () => {
    const job = await run('full');
    expect(job).toMatchObject({ state: 'failed', error: { code: 'disk_full' } });
    expect(leftovers()).toEqual([]);
  });

  test.each([
    ['crash once', 'runner_crashed'],
    ['hang once', 'runner_hung'],
  ])(
    'whose process ends (%s) is interrupted, and finished when it is resumed',
    async (name, code) => {
      await engine.close();
      await open({ compressingMs: 2000 });
      const job = await run(name);
      await engine.close();
      await open();
      expect(job).toMatchObject({ state: 'interrupted', error: { code } });
      expect(readdirSync(join(home, 'jobs'))).toEqual([job.id]);
      await client.jobs.resume({ id: job.id });
      expect(await ended(job.id)).toMatchObject({ state: 'finished', error: null });
      expect(readdirSync(join(home, 'jobs'))).toEqual([]);
    },
  );

  test('that takes more memory than it may is ended, and can be resumed', async () => {
    // The model is known by then: reading it is not what takes too much.
    await run('fine');
    await client.system.saveSettings({ memoryLimitBytes: 20e6 });
    const job = await run('fine');
    expect(job).toMatchObject({ state: 'interrupted', error: { code: 'memory_limit' } });
    await client.system.saveSettings({ memoryLimitBytes: null });
    await client.jobs.resume({ id: job.id });
    expect((await ended(job.id)).state).toBe('finished');
  });

  test('is interrupted by the end of its engine, and resumed by the next', async () => {
    const [first = '', second = ''] = await start('fine', 'fine');
    for await (const event of await client.jobs.watch({ id: first })) {
      if (event.kind === 'progress') break;
    }
    await engine.close();
    await open();
    expect((await client.jobs.list()).map(({ state }) => state)).toEqual([
      'interrupted',
      'interrupted',
    ]);
    for (const id of [first, second]) {
      await client.jobs.resume({ id });
      expect((await ended(id)).state).toBe('finished');
    }
  });

  test('is not resumed on a model that has changed since', async () => {
    const job = await run('crash once');
    writeFileSync(join(folder, 'model.safetensors'), 'others');
    await client.jobs.resume({ id: job.id });
    expect(await ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'file_changed' } });
    expect(leftovers()).toEqual([]);
  });

  test('that is forgotten is gone with its files; its variant stays', async () => {
    const interrupted = await run('crash once');
    const finished = await run('fine');
    for (const { id } of [interrupted, finished]) await client.jobs.remove({ id });
    expect(await client.jobs.list()).toEqual([]);
    expect(await failure(client.jobs.get({ id: finished.id }))).toBe('not_found');
    expect(readdirSync(join(home, 'jobs'))).toEqual([]);
    expect(existsSync(join(home, 'variants', 'parent', 'fine'))).toBe(true);
  });

  test('whose engine ended after it published is finished when it is resumed', async () => {
    const job = await run('crash once');
    const other = await run('fine');
    const place = join(home, 'variants', 'parent');
    const manifest = readFileSync(join(place, 'fine', 'lathe.json'), 'utf8');
    mkdirSync(join(place, 'crash once'));
    writeFileSync(
      join(place, 'crash once', 'lathe.json'),
      manifest.replaceAll(other.id, job.id).replaceAll('parent/fine', 'parent/crash once'),
    );
    await client.jobs.resume({ id: job.id });
    expect(await ended(job.id)).toMatchObject({
      state: 'finished',
      result: { name: 'parent/crash once' },
    });
  });
});

describe('starting jobs', () => {
  test.each([
    ['a name that is taken', { names: ['fine'] }, 'already_exists'],
    ['a name with a slash', { names: ['a/b'] }, 'path_refused'],
    ['a name that leaves the library', { names: ['..'] }, 'path_refused'],
    ['more names than recipes', { names: ['a', 'b'] }, 'usage'],
    ['a model that is not there', { model: 'nothing' }, 'not_found'],
    ['no recipes', { recipes: [] }, 'usage'],
  ])('is refused at once for %s', async (_, more, code) => {
    await run('fine');
    const request = { model: folder, recipes: [recipe('fine')], ...more };
    expect(await failure(client.compress.start(request))).toBe(code);
    expect(await client.jobs.list()).toHaveLength(1);
  });

  test('keeps names apart that jobs in the queue will have', async () => {
    await start('fine');
    const names = { names: ['fine'] };
    const request = { model: folder, recipes: [recipe('x')], ...names };
    expect(await failure(client.compress.start(request))).toBe('already_exists');
  });

  test('from a variant says in the name what it went through', async () => {
    await run('fine');
    const request = { model: 'parent/fine', recipes: [recipe('more: 4 bit')] };
    const { ids } = await client.compress.start(request);
    expect(await ended(ids[0] ?? '')).toMatchObject({
      name: 'parent/fine+more- 4 bit',
      result: { parent: 'parent/fine' },
    });
  });
});

test('a variant in the trash comes back to its place', async () => {
  const { result } = await run('fine');
  const { trashId } = await client.models.remove({ model: 'parent/fine' });
  expect(readdirSync(join(home, 'variants'))).toEqual([]);
  expect(await client.models.restore({ trashId })).toEqual(result);
});

test('only an interrupted job can be resumed', async () => {
  const { id } = await run('fine');
  expect(await failure(client.jobs.resume({ id }))).toBe('usage');
});

test('folders of jobs that nobody needs are swept when the library opens', async () => {
  const kept = await run('crash once');
  await engine.close();
  mkdirSync(join(home, 'jobs', 'stray'));
  await open();
  expect(readdirSync(join(home, 'jobs'))).toEqual([kept.id]);
});

test('recipes of the user are kept beside those that ship with Lathe', async () => {
  const [shipped] = await client.recipes.list();
  expect(shipped?.builtIn).toBe(true);
  const saved = await client.recipes.save(recipe('mine'));
  expect((await client.recipes.list()).at(-1)).toEqual(saved);
  expect(await failure(client.recipes.save(recipe(shipped?.recipe.name ?? '')))).toBe(
    'already_exists',
  );
  await client.recipes.remove({ name: 'mine' });
  expect(await failure(client.recipes.remove({ name: 'mine' }))).toBe('not_found');
});
