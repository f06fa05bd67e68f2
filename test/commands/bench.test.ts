import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { benchRecordSchema } from '../../preload/contract/bench.ts';
import { isAlive } from '../../main/library/folders.ts';
import { childrenOf, lathe, start } from './lathe.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'lathe-bench-'));
});
afterAll(() => rmSync(home, { recursive: true }));

const bench = (...words: string[]) => lathe(home, 'bench', 'tiny-stories', ...words);
const small = ['--prompt-tokens', '16', '--new-tokens', '8', '--runs', '2'];
const sweeps = ['--contexts', '32,300', '--batches', '1,3', '--threads-sweep', '1,2'];
const everything = [...small, ...sweeps, '--load', '--profile', '--price-per-hour', '3.6'];

const documentSchema = benchRecordSchema
  .extend({ decodeMs: z.array(z.number()), costPerMillion: z.number() })
  .strict();

async function failure(...words: string[]) {
  const { code, json } = await bench(...words, '--json');
  return { code, message: (json as { error: { message: string } }).error.message };
}

describe('bench of the embedded model', () => {
  test('measures all that is asked for and prints it as one document', async () => {
    const { code, json, err } = await bench(...everything, '--json');
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
    const record = documentSchema.parse(json);
    const points = (['contexts', 'batches', 'threadCounts'] as const).map((sweep) =>
      record[sweep].map(({ at, ttft, decode }) => [at, ttft.samples, decode.samples]),
    );
    const samples = [2, 16];
    expect(points).toEqual([
      [
        [32, ...samples],
        [300, ...samples],
      ],
      [
        [1, ...samples],
        [3, ...samples],
      ],
      [
        [1, ...samples],
        [2, ...samples],
      ],
    ]);
    expect([record.prefill.samples, record.decodeMs.length]).toEqual(samples);
    expect(record.costPerMillion).toBeCloseTo(1000 / record.decode.tokensPerSecond, 9);
    expect(record.memory.phases.map(({ phase }) => phase)).toEqual([
      'load',
      'prefill',
      'decode',
      'sweeps',
      'profile',
    ]);
    // Node and the runtime alone take as much, and the model is small.
    for (const { peakBytes } of record.memory.phases) {
      expect(peakBytes).toBeGreaterThan(50e6);
      expect(peakBytes).toBeLessThanOrEqual(record.peakRssBytes);
    }
    expect(record.loads?.warmMs).toBeGreaterThan(0);
    const blocks = new Set(record.operators?.map(({ block }) => block));
    expect(blocks).toEqual(new Set([null, 0, 1, 2, 3, 4]));
    expect(record.protocol).toMatch(
      /^2 runs after one to warm up, .*no sample left out: \d+ of 16/,
    );
    expect(readdirSync(join(home, 'jobs'))).toEqual([]);
    expect(readdirSync(join(home, 'cache', 'graphs'))).toHaveLength(1);
  });

  test('prints tables for people, percentiles only where there are samples enough', async () => {
    const { code, out } = await bench(...everything);
    expect(code).toBe(0);
    const header = String.raw`samples +P50 +P90 +P99 +P99\.9 +tokens/s`;
    expect(out).toMatch(new RegExp(`^ +${header}\nprefill +2 +[\\d.]+ ms +[\\d.]+\n`));
    expect(out).toMatch(/^decode +16 +[\d.]+ ms +[\d.]+ ms +[\d.]+$/m);
    for (const sweep of ['prompt', 'rows', 'threads']) {
      expect(out).toMatch(new RegExp(`^ *${sweep} +first token P50 +${header}$`, 'm'));
    }
    expect(out).toMatch(
      /^blocks\.0\.attn\.heads +GroupQueryAttention +0 +[\d.]+ +[\d.]+ +[\d.]+ %$/m,
    );
    expect(out).toMatch(/^and \d+ more$/m);
    expect(out).toMatch(/^load warm +[\d.]+ ms$/m);
    expect(out).toMatch(/^largest resident set +[\d.]+ MB \(load [\d.]+ MB, prefill /m);
    expect(out).toMatch(/^a million tokens cost +[\d.]+$/m);
  });

  test('shows P99 from 1,000 samples on', async () => {
    const words = ['--prompt-tokens', '4', '--new-tokens', '250', '--runs'];
    const [few, enough] = [
      await bench(...words, '3', '--json'),
      await bench(...words, '4', '--json'),
    ];
    const latencies = [few, enough].map(({ json }) => benchRecordSchema.parse(json).decode);
    expect(latencies.map(({ samples, p99 }) => [samples, p99 === undefined])).toEqual([
      [750, true],
      [1000, false],
    ]);
  });
});

describe('bench refuses', () => {
  test.each([
    [
      ['--contexts', '32,600'],
      1,
      'prompt and new tokens are longer than the context: 600 + 64 > 512',
    ],
    [
      ['--contexts', '32;64'],
      2,
      '--contexts must be whole numbers with commas, as in 128,512: 32;64',
    ],
    [['--batches', '0'], 2, '--batches: Too small: expected number to be >=1: 0'],
    [['--threads-sweep', '999'], 2, '--threads-sweep: Too big: expected number to be <=256: 999'],
    [['--new-tokens', '1'], 2, '--new-tokens: Too small: expected number to be >=2: 1'],
    [['--price-per-hour', '0'], 2, '--price-per-hour must be more than nothing: 0'],
  ])('%s', async (words, code, message) => {
    expect(await failure(...words)).toEqual({ code, message });
  });
});

test('Ctrl-C in the middle of a bench leaves no process, no record and no file', async () => {
  const own = join(home, 'cancelled');
  const endless = ['--prompt-tokens', '4', '--new-tokens', '500', '--runs', '1000', '--json'];
  const { child, ended } = start(own, ['bench', 'tiny-stories', ...endless]);
  let told = '';
  child.stderr?.on('data', (text: string) => (told += text));
  while (!told.includes('prompt and new tokens')) await sleep(50);
  const runners = childrenOf(child.pid ?? 0);
  expect(runners.length).toBeGreaterThan(0);
  child.kill('SIGINT');
  const { code } = await ended;
  expect(code).toBe(130);
  const until = Date.now() + 10_000;
  while (runners.some(isAlive) && Date.now() < until) await sleep(50);
  expect(runners.filter(isAlive)).toEqual([]);
  const { openLibrary } = await import('../../main/library/library.ts');
  const resources = join(import.meta.dirname, '../../resources');
  const library = openLibrary({ root: own, resources, warn: (message) => expect.fail(message) });
  expect([library.benches.list({}), library.jobs.list().map(({ state }) => state)]).toEqual([
    [],
    ['cancelled'],
  ]);
  library.close();
  expect(readdirSync(join(own, 'cache', 'graphs')).filter((name) => name.startsWith('.'))).toEqual(
    [],
  );
});
