import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { generateRequestSchema, type GenerateEvent } from '../../../preload/contract/generation.ts';
import type { RunnerState } from '../../../preload/contract/system.ts';
import { forkNode } from '../../../main/engine/runner/forkNode.ts';
import type { Limits } from '../../../main/engine/runner/limits.ts';
import {
  createSupervisor,
  type Job,
  type Supervisor,
} from '../../../main/engine/runner/supervisor.ts';
import { isAlive } from '../../../main/library/folders.ts';

const startFake = forkNode(new URL('../fakeRunner.ts', import.meta.url));
const open: Supervisor[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((supervisor) => supervisor.close()));
});

interface Watched extends Supervisor {
  readonly told: RunnerState[];
  readonly pids: number[];
}

function supervise(limits: Partial<Limits> = {}, memoryLimit = 64e9): Watched {
  const told: RunnerState[] = [];
  const pids: number[] = [];
  const supervisor = createSupervisor({
    startRunner: async () => {
      const runner = await startFake();
      pids.push(runner.pid);
      return runner;
    },
    limits,
    memoryLimit: () => memoryLimit,
    onState: (state) => told.push(state),
  });
  open.push(supervisor);
  return Object.assign(supervisor, { told, pids });
}

const model = (name: string) => ({ folder: `/models/${name}`, name });

const loadRequest = (folder: string) => ({
  folder,
  weights: 'w',
  fingerprint: 'f',
  form: 'fused' as const,
  graphs: '/none',
  threads: 1,
  device: 'cpu' as const,
});

async function* answer(job: Job, name: string, text: string, tokens: number, signal?: AbortSignal) {
  const { folder } = model(name);
  for await (const event of job.stream(
    'loading',
    (client) => client.load(loadRequest(folder)),
    signal,
  )) {
    if (event.kind === 'loaded') job.loaded(event.fastCache);
  }
  const prompt = { kind: 'completion' as const, text };
  const request = generateRequestSchema.parse({ model: name, prompt, maxTokens: tokens });
  yield* job.stream('running', (client) => client.generate(request), signal);
}

/** Runs a prompt on a fake model and keeps what came before it failed, if it did. */
async function run(
  supervisor: Supervisor,
  name: string,
  text: string,
  { tokens = 5, signal }: { tokens?: number; signal?: AbortSignal } = {},
) {
  const events: GenerateEvent[] = [];
  let error: { code: string; next: readonly string[] } | null = null;
  try {
    const stream = supervisor.run(
      model(name),
      (job) => answer(job, name, text, tokens, signal),
      signal,
    );
    for await (const event of stream) events.push(event);
  } catch (thrown) {
    const { code, data } = thrown as { code: string; data: { next?: string[] } };
    error = { code, next: data?.next ?? [] };
  }
  const texts = events.flatMap((event) => (event.kind === 'token' ? [event.text] : []));
  return { error, text: texts.join(''), last: events.at(-1)?.kind, events };
}

/** Waits until the model is loaded and generates. */
const untilBusy = (supervisor: Supervisor): Promise<void> =>
  vi.waitFor(
    () => expect(supervisor.states()).toContainEqual(expect.objectContaining({ kind: 'busy' })),
    10_000,
  );

describe('a runner that works', () => {
  test('answers, and is used again', async () => {
    const supervisor = supervise();
    const first = await run(supervisor, 'good', 'go', { tokens: 3 });
    const second = await run(supervisor, 'good', 'go', { tokens: 2 });
    expect([first.text, second.text, supervisor.pids.length]).toEqual(['t0 t1 t2 ', 't0 t1 ', 1]);
    expect(supervisor.states()).toMatchObject([{ kind: 'ready', model: 'good', fastCache: true }]);
  });

  test('answers a short question while it generates', async () => {
    const supervisor = supervise();
    const running = run(supervisor, 'good', 'go', { tokens: 400 });
    await untilBusy(supervisor);
    const prompt = { kind: 'completion' as const, text: '' };
    const [token] = await supervisor.ask(model('good'), (client) =>
      client.tokenize({ folder: '/', prompt }),
    );
    expect(supervisor.states()).toMatchObject([{ kind: 'busy' }]);
    expect(token?.id).toBe(supervisor.pids[0]);
    expect((await running).last).toBe('finish');
  });

  test('reports its own bug as an internal error with the message', async () => {
    const supervisor = supervise();
    const source = { folder: '/', weights: '', form: 'plain' as const, graphs: '/' };
    await expect(
      supervisor.ask(model('good'), (client) => client.graph(source)),
    ).rejects.toMatchObject({ code: 'internal', message: 'a bug in a runner' });
  });
});

describe('a runner that fails', () => {
  test.each([
    ['crash 3', 'runner_crashed'],
    ['exit 3', 'runner_crashed'],
  ])('keeps the text streamed before: %s', async (prompt, code) => {
    const supervisor = supervise();
    const result = await run(supervisor, 'bad', prompt);
    expect(result).toMatchObject({ error: { code, next: ['retry'] }, text: 't0 t1 t2 ' });
    expect(supervisor.told.at(-1)).toMatchObject({ kind: 'dead', model: 'bad', code });
    expect((await run(supervisor, 'bad', 'go')).last).toBe('finish');
    expect(supervisor.pids).toHaveLength(2);
  });

  test('is noticed when it is killed from outside', async () => {
    const supervisor = supervise();
    const running = run(supervisor, 'bad', 'go', { tokens: 10_000 });
    await untilBusy(supervisor);
    process.kill(supervisor.pids[0], 'SIGKILL');
    expect((await running).error?.code).toBe('runner_crashed');
  });

  test('is noticed when it crashes while loading', async () => {
    const supervisor = supervise();
    const result = await run(supervisor, 'crash-load', 'go');
    expect(result.error?.code).toBe('runner_crashed');
  });

  test('is ended when it is silent while running', async () => {
    const supervisor = supervise({ runningMs: 1500 });
    const result = await run(supervisor, 'bad', 'hang 2');
    expect(result).toMatchObject({ error: { code: 'runner_hung' }, text: 't0 t1 ' });
    await vi.waitFor(() => expect(isAlive(supervisor.pids[0])).toBe(false));
  });

  test('is ended when it is silent while loading, but not while it reports progress', async () => {
    const supervisor = supervise({ loadingMs: 2500 });
    expect((await run(supervisor, 'hang-load', 'go')).error?.code).toBe('runner_hung');
    expect((await run(supervisor, 'slow-load', 'go')).last).toBe('finish');
  });

  test('is ended when it does not answer a question', async () => {
    const supervisor = supervise({ loadingMs: 2000 });
    const folder = model('hang-inspect').folder;
    await expect(
      supervisor.ask(model('hang-inspect'), (client) => client.inspect({ folder })),
    ).rejects.toMatchObject({ code: 'runner_hung' });
  });

  test('is ended when it takes more memory than it may', async () => {
    const supervisor = supervise({ pollMs: 50 }, 400e6);
    const result = await run(supervisor, 'bad', 'hog 2', { tokens: 10_000 });
    expect(result.error?.code).toBe('memory_limit');
    expect(result.text).toContain('t0 t1 ');
  });

  test('is not started again after three crashes in a short time, other models are', async () => {
    const supervisor = supervise({ crashes: 3 });
    for (let crash = 0; crash < 3; crash++) await run(supervisor, 'bad', 'crash');
    expect((await run(supervisor, 'bad', 'go')).error?.code).toBe('model_quarantined');
    expect((await run(supervisor, 'good', 'go')).last).toBe('finish');
    expect(supervisor.pids).toHaveLength(4);
  });

  test('may start again when its crashes are long ago', async () => {
    const supervisor = supervise({ crashes: 2, crashWindowMs: 300 });
    for (let crash = 0; crash < 2; crash++) await run(supervisor, 'bad', 'crash');
    await sleep(300);
    expect((await run(supervisor, 'bad', 'go')).last).toBe('finish');
  });

  test('that cannot be started is an error of its request only', async () => {
    const supervisor = createSupervisor({
      startRunner: forkNode(new URL('./nowhere.ts', import.meta.url)),
      memoryLimit: () => 1e12,
      onState: () => undefined,
    });
    open.push(supervisor);
    expect((await run(supervisor, 'good', 'go')).error?.code).toBe('runner_crashed');
  });
});

describe('cancelling', () => {
  test('ends a job after its current token, and the runner stays', async () => {
    const supervisor = supervise();
    const stop = new AbortController();
    const running = run(supervisor, 'good', 'go', { tokens: 10_000, signal: stop.signal });
    await untilBusy(supervisor);
    stop.abort();
    const { events } = await running;
    expect(events.at(-1)).toMatchObject({ kind: 'finish', reason: 'cancelled' });
    expect((await run(supervisor, 'good', 'go')).last).toBe('finish');
    expect(supervisor.pids).toHaveLength(1);
  });

  test('ends a runner that does not listen', async () => {
    const supervisor = supervise({ cancelMs: 200 });
    const stop = new AbortController();
    const running = run(supervisor, 'bad', 'deaf', { tokens: 10_000, signal: stop.signal });
    await untilBusy(supervisor);
    await sleep(50);
    stop.abort();
    const result = await running;
    expect(result.error?.code).toBe('cancelled');
    expect(result.text).toContain('t0 ');
    expect(supervisor.told.at(-1)).toEqual({ kind: 'unloaded', model: 'bad' });
  });

  test('ends a runner that loads and does not listen', async () => {
    const supervisor = supervise({ cancelMs: 200 });
    const stop = new AbortController();
    const running = run(supervisor, 'hang-load', 'go', { signal: stop.signal });
    await sleep(400);
    stop.abort();
    expect((await running).error?.code).toBe('cancelled');
  });

  test('works when the reader just stops reading', async () => {
    const supervisor = supervise();
    const stream = supervisor.run(model('good'), (job) => answer(job, 'good', 'go', 10_000));
    for await (const event of stream) if (event.kind === 'token') break;
    expect((await run(supervisor, 'good', 'go')).last).toBe('finish');
    expect(supervisor.pids).toHaveLength(1);
  });

  test('takes a waiting job out of the line', async () => {
    const supervisor = supervise();
    const first = run(supervisor, 'good', 'go', { tokens: 100 });
    await sleep(100);
    const stop = new AbortController();
    const second = run(supervisor, 'good', 'go', { signal: stop.signal });
    stop.abort();
    expect((await second).error?.code).toBe('cancelled');
    expect((await first).last).toBe('finish');
    expect(supervisor.isBusy).toBe(false);
  });
});

describe('several models', () => {
  test('have their turn one after the other, first come first served', async () => {
    const supervisor = supervise({ keep: 2 });
    const order: string[] = [];
    const track = async (name: string): Promise<void> => {
      for await (const event of supervisor.run(model(name), (job) => answer(job, name, 'go', 4))) {
        order.push(`${name} ${event.kind}`);
      }
    };
    await Promise.all([track('one'), track('two'), track('three')]);
    const shortened = order.filter((entry) => !entry.endsWith('token'));
    expect(shortened).toEqual([
      'one start',
      'one finish',
      'two start',
      'two finish',
      'three start',
      'three finish',
    ]);
  });

  test('make room: the one used longest ago is unloaded', async () => {
    const supervisor = supervise({ keep: 1 });
    for (const name of ['one', 'two', 'three']) await run(supervisor, name, 'go');
    expect(supervisor.states().map((state) => [state.model, state.kind])).toEqual([
      ['one', 'unloaded'],
      ['two', 'ready'],
      ['three', 'ready'],
    ]);
  });

  test('leave no process behind when the engine closes', async () => {
    const supervisor = supervise({ keep: 5 });
    for (const name of ['one', 'two']) await run(supervisor, name, 'go');
    await supervisor.close();
    expect(supervisor.pids.map(isAlive)).toEqual([false, false]);
  });
});
