import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EngineClient, GenerateInput, GenerateEvent } from '../../preload/contract/index.ts';
import { createEngine, type Engine } from '../../main/engine/engine.ts';
import { fromOrpc } from '../../main/engine/errors.ts';
import { forkNode } from '../../main/engine/runner/forkNode.ts';

let root: string;
let engine: Engine;
let client: EngineClient;
let folder: string;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-engine-')));
  folder = writeModel('model');
  await open();
});
afterEach(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

async function open(): Promise<void> {
  const startRunner = forkNode(new URL('./fakeRunner.ts', import.meta.url));
  engine = await createEngine({ home: join(root, 'home'), startRunner, limits: { cancelMs: 300 } });
  client = createRouterClient(engine.router);
}

function writeModel(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  writeFileSync(join(path, 'config.json'), '{}');
  writeFileSync(join(path, 'model.safetensors'), name);
  writeFileSync(join(path, 'README.md'), 'card');
  return path;
}

async function run(text: string, more: Partial<GenerateInput> = {}) {
  const prompt = { kind: 'completion' as const, text };
  const events: GenerateEvent[] = [];
  let error: string | null = null;
  try {
    const request = { model: folder, prompt, record: true, maxTokens: 5, ...more };
    for await (const event of await client.generate(request)) events.push(event);
  } catch (thrown) {
    error = fromOrpc(thrown).code;
  }
  return { error, events, last: events.at(-1) };
}

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    (error: unknown) => fromOrpc(error).code,
  );

async function importModel(path: string, name?: string) {
  const events = await client.models.import({ path, ...(name === undefined ? {} : { name }) });
  for await (const event of events) if (event.kind === 'done') return event.model;
  return null;
}

describe('generation', () => {
  test('is written to the history under the id that the start event gives', async () => {
    const { events } = await run('go');
    const start = events.find((event) => event.kind === 'start');
    const [summary] = await client.runs.list({});
    expect(summary).toMatchObject({
      id: start?.runId,
      promptText: 'go',
      text: 't0 t1 t2 t3 t4 ',
      newTokens: 5,
      finish: 'max-tokens',
      error: null,
    });
  });

  test('is not written down unless asked for', async () => {
    const { events } = await run('go', { record: false });
    expect(events.find((event) => event.kind === 'start')?.runId).toBeNull();
    expect(await client.runs.list({})).toEqual([]);
  });

  test('that breaks off keeps its text in the history, with the reason', async () => {
    const { error } = await run('crash 3');
    expect(error).toBe('runner_crashed');
    const [summary] = await client.runs.list({});
    expect(summary).toMatchObject({
      text: 't0 t1 t2 ',
      finish: null,
      error: 'the process that ran model ended: SIGKILL',
    });
  });

  test('that its reader leaves is cancelled, in the runner and in the history', async () => {
    const prompt = { kind: 'completion' as const, text: 'go' };
    const request = { model: folder, prompt, record: true, maxTokens: 100_000 };
    for await (const event of await client.generate(request)) if (event.kind === 'token') break;
    expect(await client.runs.list({})).toMatchObject([{ finish: 'cancelled', error: null }]);
    expect((await run('go')).last?.kind).toBe('finish');
  });

  test('that is stopped by its signal says so in its last event', async () => {
    const stop = new AbortController();
    const prompt = { kind: 'completion' as const, text: 'go' };
    const request = { model: folder, prompt, record: true, maxTokens: 100_000 };
    let last: GenerateEvent | undefined;
    for await (const event of await client.generate(request, { signal: stop.signal })) {
      last = event;
      if (event.kind === 'token') stop.abort();
    }
    expect(last).toMatchObject({ kind: 'finish', reason: 'cancelled' });
    expect(await client.runs.list({})).toMatchObject([{ finish: 'cancelled' }]);
  });

  test('of a model that cannot fit is refused before it is loaded', async () => {
    await client.system.saveSettings({ memoryLimitBytes: 1000 });
    const { error, events } = await run('go');
    expect(error).toBe('memory_limit');
    expect(events.some((event) => event.kind === 'start')).toBe(false);
  });

  test('with a request that is wrong says which field', async () => {
    const sampling = { temperature: 11, topP: 0 };
    const prompt = { kind: 'completion' as const, text: 'x' };
    const rejected = client.generate({ model: folder, prompt, sampling });
    await expect(rejected).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/sampling\.temperature: .*; sampling\.topP: /),
    });
  });
});

describe('models', () => {
  test('opened in place are remembered under a name of their own', async () => {
    await run('go');
    await client.models.facts({ model: writeModel('tiny-stories') });
    const models = await client.models.list();
    expect(models.map(({ name, source }) => [name, source])).toEqual([
      ['tiny-stories', 'embedded'],
      ['model', 'folder'],
      ['tiny-stories-2', 'folder'],
    ]);
    expect((await run('go', { model: 'model' })).last?.kind).toBe('finish');
  });

  test('whose bytes changed are refused by name and read anew by path', async () => {
    await run('go');
    appendFileSync(join(folder, 'model.safetensors'), 'x');
    expect((await run('go', { model: 'model' })).error).toBe('file_changed');
    expect((await run('go')).error).toBeNull();
    expect((await run('go', { model: 'model' })).error).toBeNull();
  });

  test('may have their card edited', async () => {
    await run('go');
    appendFileSync(join(folder, 'README.md'), 'x');
    expect((await run('go', { model: 'model' })).error).toBeNull();
  });

  test('with a new file that matters are changed models', async () => {
    await run('go');
    writeFileSync(join(folder, 'tokenizer.json'), '{}');
    expect((await run('go', { model: 'model' })).error).toBe('file_changed');
    rmSync(join(folder, 'tokenizer.json'));
    rmSync(join(folder, 'model.safetensors'));
    expect((await run('go', { model: 'model' })).error).toBe('file_changed');
  });

  test('are copied on import, and the copy stands alone', async () => {
    const record = await importModel(folder, 'mine');
    rmSync(folder, { recursive: true });
    expect(record).toMatchObject({ name: 'mine', source: 'library' });
    expect(readdirSync(join(root, 'home', 'models', 'mine')).toSorted()).toEqual([
      'README.md',
      'config.json',
      'lathe.json',
      'model.safetensors',
    ]);
    expect((await run('go', { model: 'mine' })).last?.kind).toBe('finish');
  });

  test('in the download cache go by the name of their repository, and are copied whole', async () => {
    const repository = join(root, 'models--someone--small-one');
    const snapshot = join(repository, 'snapshots', 'abc');
    mkdirSync(join(repository, 'blobs'), { recursive: true });
    mkdirSync(join(repository, 'refs'));
    mkdirSync(snapshot, { recursive: true });
    writeFileSync(join(repository, 'refs', 'main'), 'abc\n');
    for (const name of readdirSync(folder)) {
      renameSync(join(folder, name), join(repository, 'blobs', name));
      symlinkSync(join('..', '..', 'blobs', name), join(snapshot, name));
    }
    expect((await run('go', { model: repository })).error).toBeNull();
    expect(await client.models.list()).toContainEqual(
      expect.objectContaining({ name: 'small-one', source: 'folder', folder: snapshot }),
    );
    expect(await failure(importModel(repository, 'mine'))).toBe('none');
    rmSync(repository, { recursive: true });
    expect((await run('go', { model: 'mine' })).last?.kind).toBe('finish');
  });

  test('that were opened first give their copy name and place', async () => {
    expect((await run('go')).error).toBeNull();
    expect(await importModel(folder)).toMatchObject({ name: 'model', source: 'library' });
    const listed = await client.models.list();
    expect(listed.filter(({ name }) => name === 'model')).toMatchObject([{ source: 'library' }]);
    expect(await failure(importModel(folder))).toBe('already_exists');
  });

  test('that fail to import leave nothing behind', async () => {
    expect(await failure(importModel(join(root, 'nowhere')))).toBe('file_missing');
    expect(await failure(importModel(folder, 'tiny-stories'))).toBe('already_exists');
    expect(await failure(importModel('relative'))).toBe('usage');
    expect(readdirSync(join(root, 'home', 'models'))).toEqual([]);
  });

  test('imported by two at once under one name: one is there, whole', async () => {
    const results = await Promise.all(
      [folder, writeModel('other')].map((path) => failure(importModel(path, 'same'))),
    );
    expect(new Set(results)).toEqual(new Set(['already_exists', 'none']));
    expect(readdirSync(join(root, 'home', 'models'))).toEqual(['same']);
    expect((await run('go', { model: 'same' })).error).toBeNull();
  });

  test('are there whole or not at all when the import is killed', async () => {
    writeFileSync(join(folder, 'model.safetensors'), new Uint8Array(200 * 2 ** 20));
    const home = join(root, 'home');
    const child = fork(new URL('./importModel.ts', import.meta.url), [home, folder, 'killed'], {
      stdio: 'ignore',
    });
    const exited = once(child, 'exit');
    const models = join(home, 'models');
    await vi.waitFor(() => expect(readdirSync(models)).not.toEqual([]), {
      timeout: 20_000,
      interval: 5,
    });
    child.kill('SIGKILL');
    await exited;
    const listed = (await client.models.list()).map((model) => model.name);
    expect(listed.includes('killed')).toBe(existsSync(join(models, 'killed', 'lathe.json')));
    // Where it is whole already, importing it again is refused; then it is there in both cases.
    const again = await failure(importModel(folder, 'killed'));
    expect(again).toBe(listed.includes('killed') ? 'already_exists' : 'none');
    expect((await run('go', { model: 'killed' })).error).toBeNull();
  });

  test('with a damaged manifest are left out, the others stay', async () => {
    await importModel(folder, 'mine');
    await importModel(folder, 'other');
    writeFileSync(join(root, 'home', 'models', 'mine', 'lathe.json'), '{');
    const models = await client.models.list();
    expect(models.map(({ name }) => name)).toEqual(['tiny-stories', 'other']);
    expect(await failure(importModel(folder, 'mine'))).toBe('already_exists');
  });

  test('removed are in the trash and can be restored', async () => {
    await importModel(folder, 'mine');
    await run('go');
    const asked: [string, string][] = [
      ['mine', 'mine'],
      ['model', 'model'],
      [folder, 'model'],
    ];
    for (const [named, name] of asked) {
      const { trashId } = await client.models.remove({ model: named });
      expect((await client.models.list()).map((model) => model.name)).not.toContain(name);
      expect((await client.models.restore({ trashId })).name).toBe(name);
      expect((await run('go', { model: name })).error).toBeNull();
      expect(await failure(client.models.restore({ trashId }))).toBe('not_found');
    }
    expect(existsSync(folder)).toBe(true);
  });

  test('that ship with Lathe cannot be removed, others only by their names', async () => {
    expect(await failure(client.models.remove({ model: 'tiny-stories' }))).toBe('usage');
    expect(await failure(client.models.restore({ trashId: '../models' }))).toBe('not_found');
  });

  test('restored onto a name that is taken stay in the trash', async () => {
    await importModel(folder, 'mine');
    const { trashId } = await client.models.remove({ model: 'mine' });
    await importModel(folder, 'mine');
    expect(await failure(client.models.restore({ trashId }))).toBe('already_exists');
    expect(existsSync(join(root, 'home', 'trash', trashId))).toBe(true);
  });
});

describe('what is kept', () => {
  test('settings keep what a change does not mention', async () => {
    await client.system.saveSettings({ threads: 3 });
    await client.system.saveSettings({ theme: 'dark' });
    expect(await client.system.settings()).toMatchObject({ threads: 3, theme: 'dark' });
    expect((await client.system.info()).threads).toBe(3);
  });

  test('presets of the user stand beside those that ship, which cannot be changed', async () => {
    const [greedy] = await client.presets.list();
    expect(greedy).toMatchObject({ name: 'Greedy', builtIn: true, sampling: { temperature: 0 } });
    const mine = { name: 'Mine', sampling: greedy.sampling, maxTokens: 9, stop: ['x'] };
    expect(await client.presets.save(mine)).toEqual({ ...mine, builtIn: false });
    expect((await client.presets.list()).at(-1)).toMatchObject({ name: 'Mine', maxTokens: 9 });
    expect(await failure(client.presets.save({ ...mine, name: 'Greedy' }))).toBe('already_exists');
    expect(await failure(client.presets.remove({ name: 'Greedy' }))).toBe('already_exists');
    await client.presets.remove({ name: 'Mine' });
    expect(await failure(client.presets.remove({ name: 'Mine' }))).toBe('not_found');
  });

  test('everything is there again when the engine starts anew', async () => {
    await importModel(folder, 'mine');
    await run('go', { model: 'mine' });
    await client.system.saveSettings({ theme: 'light' });
    await engine.close();
    await open();
    expect(await client.runs.list({})).toMatchObject([{ text: 't0 t1 t2 t3 t4 ' }]);
    expect((await client.models.list()).map((model) => model.name)).toContain('mine');
    expect((await client.system.settings()).theme).toBe('light');
  });
});

test('every window hears of runners, models and runs', async () => {
  const stop = new AbortController();
  const heard: string[] = [];
  const events = await client.system.events(undefined, { signal: stop.signal });
  const listening = (async () => {
    for await (const event of events) {
      heard.push(event.kind === 'runner' ? `runner ${event.state.kind}` : event.kind);
    }
  })().catch(() => undefined);
  await run('go');
  await client.runners.unload({ model: 'model' });
  await vi.waitFor(() => expect(heard).toContain('runner unloaded'));
  stop.abort();
  await listening;
  for (const kind of ['runner busy', 'runner ready', 'models-changed', 'runs-changed']) {
    expect(heard).toContain(kind);
  }
});

test('folders are listed with those that are models marked', async () => {
  const listing = await client.system.folders({ path: root });
  expect(listing).toMatchObject({ path: root, isModel: false });
  expect(listing.folders).toEqual([
    { name: 'home', path: join(root, 'home'), isModel: false },
    { name: 'model', path: folder, isModel: true },
  ]);
  expect((await client.system.folders({ path: folder })).isModel).toBe(true);
  expect((await client.system.folders({ path: '/' })).parent).toBeNull();
  expect(await failure(client.system.folders({ path: join(root, 'nowhere') }))).toBe(
    'file_missing',
  );
});
