import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRouterClient } from '@orpc/server';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createEngine, type Engine } from '../../../main/engine/engine.ts';
import { forkNode } from '../../../main/engine/runner/forkNode.ts';
import type { RunnerProcess } from '../../../main/engine/runner/host.ts';
import type {
  EngineClient,
  EvaluateInput,
  EvaluateJob,
  Measurement,
} from '../../../preload/contract/index.ts';
import { writeTinyLlama } from '../../models/tinyLlama.ts';

// Each of these starts processes that load the runtime, beside others that do.
vi.setConfig({ testTimeout: 120_000 });

let root: string;
let home: string;
let request: EvaluateInput;
/** What an undisturbed measurement finds. */
let undisturbed: Measurement[];
let engine: Engine;
let client: EngineClient;
const runners: RunnerProcess[] = [];

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-resume-evaluation-')));
  const [model, against] = ['tiny', 'base'].map((name) => join(root, name));
  writeTinyLlama(model, { tied: true, keyValueHeads: 2, seed: 1 });
  writeTinyLlama(against, { tied: true, keyValueHeads: 2, seed: 2 });
  const texts = Array.from({ length: 60 }, (_, at) => `Text ${at}: it was cold. `.repeat(3 + at));
  const data = join(root, 'texts.json');
  writeFileSync(data, JSON.stringify(texts));
  const metrics = ['perplexity', 'kl', 'rare-token-loss', 'calibration-error'] as const;
  request = { model, against, metrics: [...metrics], data, again: true };
  home = join(root, 'home');
  await open();
  undisturbed = measured(await ended(await start()));
}, 120_000);
afterAll(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

async function open(): Promise<void> {
  const startRunner = forkNode(new URL('../../../main/engine/runner/entry.ts', import.meta.url));
  engine = await createEngine({
    home,
    threads: 1,
    async startRunner() {
      const runner = await startRunner();
      runners.push(runner);
      return runner;
    },
  });
  client = createRouterClient(engine.router);
}

async function start(): Promise<string> {
  const { ids } = await client.evaluations.start({ requests: [request] });
  return ids[0] ?? '';
}

async function ended(id: string): Promise<EvaluateJob> {
  for await (const event of await client.jobs.watch({ id })) void event;
  const job = await client.jobs.get({ id });
  if (job.kind !== 'evaluate') throw new Error(`not an evaluation: ${job.kind}`);
  return job;
}

/** The numbers alone. */
const measured = ({ result }: EvaluateJob): Measurement[] =>
  (result ?? []).map(({ value, ci95, n, protocol, details, against }) => ({
    value,
    ci95,
    n,
    protocol,
    details,
    against,
  }));

const readingsOf = (id: string): string => join(home, 'jobs', id, 'readings.jsonl');

/** Texts that were read and kept, so far. */
function kept(file: string): number {
  if (!existsSync(file)) return 0;
  return readFileSync(file, 'utf8').split('\n').length - 2;
}

async function untilKept(texts: number, file: () => string): Promise<void> {
  while (kept(file()) < texts) await sleep(2);
}

/** A measurement whose process is killed once so many texts are kept. */
async function killed(texts: number): Promise<EvaluateJob> {
  const id = await start();
  await untilKept(texts, () => readingsOf(id));
  runners.at(-1)?.kill();
  return ended(id);
}

async function resume({ id }: EvaluateJob): Promise<EvaluateJob> {
  await client.jobs.resume({ id });
  return ended(id);
}

const logged = ({ log }: EvaluateJob): string => log.map(({ text }) => text).join('\n');

describe('a measurement whose process is killed', () => {
  test.each([1, 20, 45])('after %i texts goes on behind them to the same bit', async (texts) => {
    const before = await client.evaluations.list({});
    const job = await killed(texts);
    expect(job).toMatchObject({ state: 'interrupted', error: { code: 'runner_crashed' } });
    expect(await client.evaluations.list({})).toEqual(before);
    const done = kept(readingsOf(job.id));
    expect(done).toBeLessThan(60);
    const resumed = await resume(job);
    expect(logged(resumed)).toContain(`going on behind item ${done}`);
    expect(measured(resumed)).toEqual(undisturbed);
    expect(await client.evaluations.list({})).toHaveLength(before.length + 4);
    expect(readdirSync(join(home, 'jobs'))).toEqual([]);
  });

  test('in the middle of a line reads that text again', async () => {
    const job = await killed(10);
    const file = readingsOf(job.id);
    writeFileSync(file, readFileSync(file).subarray(0, -100));
    const done = kept(file);
    const resumed = await resume(job);
    expect(logged(resumed)).toContain(`going on behind item ${done}`);
    expect(measured(resumed)).toEqual(undisturbed);
  });

  test('is left alone where a newer version kept what was read', async () => {
    const job = await killed(10);
    const file = readingsOf(job.id);
    const head = JSON.stringify({ format: 99, key: '' });
    const checksum = createHash('sha256').update(head).digest('hex').slice(0, 16);
    writeFileSync(file, `${checksum} ${head}\n`);
    const before = readFileSync(file);
    await expect(client.jobs.resume({ id: job.id })).rejects.toMatchObject({
      code: 'file_malformed',
      data: { file, value: '99' },
    });
    expect(await client.jobs.get({ id: job.id })).toEqual(job);
    expect(readFileSync(file)).toEqual(before);
    await client.jobs.remove({ id: job.id });
  });

  test('begins anew where the data changed', async () => {
    const job = await killed(10);
    const texts = readFileSync(request.data, 'utf8');
    writeFileSync(request.data, texts.replace('Text 0', 'TEXT 0'));
    const resumed = await resume(job);
    expect(logged(resumed)).not.toContain('going on');
    expect(resumed.result?.[0]?.dataSha256).toMatch(/^[0-9a-f]{64}$/);
    const anew = measured(await ended(await start()));
    writeFileSync(request.data, texts);
    expect(measured(resumed)).toEqual(anew);
    expect(anew).not.toEqual(undisturbed);
  });
});

test('a measurement whose whole engine is killed ends with the same to the bit', async () => {
  await engine.close();
  const script = fileURLToPath(new URL('evaluateModel.ts', import.meta.url));
  const child = spawn(process.execPath, [script, home, JSON.stringify(request)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const jobs = join(home, 'jobs');
  await untilKept(15, () => readingsOf(readdirSync(jobs)[0] ?? ''));
  child.kill('SIGKILL');
  await once(child, 'close');
  await open();
  const [job] = await client.jobs.list();
  expect(job?.state).toBe('interrupted');
  const id = job?.id ?? '';
  const done = kept(readingsOf(id));
  await client.jobs.resume({ id });
  const resumed = await ended(id);
  expect(logged(resumed)).toContain(`going on behind item ${done}`);
  expect(measured(resumed)).toEqual(undisturbed);
  expect(readdirSync(jobs)).toEqual([]);
});
