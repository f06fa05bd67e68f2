import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { errorDataSchema } from '../../preload/contract/errors.ts';
import { measurementSchema } from '../../preload/contract/evaluation.ts';
import { modelRecordSchema } from '../../preload/contract/models.ts';
import { lathe, start } from './lathe.ts';

// Each of these starts processes that load the runtime, beside others that do.
vi.setConfig({ testTimeout: 120_000 });

let root: string;
let home: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lathe-sweep-'));
  home = join(root, 'home');
});
afterAll(() => rmSync(root, { recursive: true }));

const measurement = measurementSchema.extend({
  against: measurementSchema.shape.against.optional(),
});
const documents = z.array(
  z.strictObject({
    model: z.string(),
    record: modelRecordSchema.nullable(),
    metrics: z.record(z.string(), measurement),
    bench: z.looseObject({ peakRssBytes: z.number() }).nullable(),
    error: errorDataSchema.extend({ code: z.string(), message: z.string() }).optional(),
  }),
);

const sweep = (...words: string[]) => lathe(home, 'sweep', 'tiny-stories', ...words);
const quality = ['--metrics', 'perplexity,kl', '--data', 'stories', '--limit', '6'];

test('makes a variant per recipe and measures model and variants on the same tokens', async () => {
  const recipes = ['--recipes', 'int8-weights,int4-rtn'];
  const { code, json } = await sweep(...recipes, ...quality, '--bench', '--json');
  expect(code).toBe(0);
  const [own, eight, four, ...more] = documents.parse(json);
  expect(more).toEqual([]);
  expect([own?.model, eight?.model, four?.model]).toEqual([
    'tiny-stories',
    'tiny-stories/int8-weights',
    'tiny-stories/int4-rtn',
  ]);
  expect(Object.keys(own?.metrics ?? {})).toEqual(['perplexity']);
  const base = own?.metrics['perplexity']?.value;
  for (const variant of [eight, four]) {
    const { perplexity, kl } = variant?.metrics ?? {};
    expect(perplexity?.against?.value).toBe(base);
    expect(perplexity?.against?.pValue).toBeGreaterThan(0);
    expect(kl?.value).toBeGreaterThan(0);
    expect(variant?.record).toMatchObject({ parent: 'tiny-stories' });
    expect(variant?.record?.bytes).toBeLessThan(own?.record?.bytes ?? 0);
    expect(variant?.bench?.peakRssBytes).toBeGreaterThan(1e6);
  }
  expect(four?.metrics['kl']?.value).toBeGreaterThan(eight?.metrics['kl']?.value ?? Infinity);
});

test('prints a line each, the model first, and goes on behind a recipe that fails', async () => {
  const broken = join(root, 'broken.json');
  const passes = [{ pass: 'quantize-rtn', targets: ['no.such.layer'] }];
  writeFileSync(broken, JSON.stringify({ name: 'broken', passes }));
  const recipes = ['--recipes', `${broken},int8-weights`, '--set', 'name=again'];
  const { code, out } = await sweep(...recipes, ...quality);
  expect(code).toBe(1);
  const lines = out.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^tiny-stories: 4\.50 MB, perplexity [\d.]+ \([\d.]+ … [\d.]+\)$/);
  expect(lines[1]).toMatch(/^tiny-stories\/again: failed: .*no\.such\.layer/);
  expect(lines[2]).toMatch(/^tiny-stories\/again-2: 1\.33 MB, perplexity .*, kl [\d.e-]+ \(/);
});

test('goes on with the same command after a crash, and makes no variant twice', async () => {
  const words = ['sweep', 'tiny-stories', '--recipes', 'fp16,int4-kquant', ...quality, '--json'];
  const running = start(home, words);
  while (!existsSync(join(home, 'variants', 'tiny-stories', 'fp16'))) await sleep(5);
  running.child.kill('SIGKILL');
  await running.ended;
  const { code, err, json } = await lathe(home, ...words);
  expect(err).toMatch(/resuming the sweep: \d of 5 jobs were interrupted/);
  expect(code).toBe(0);
  expect(
    documents.parse(json).map(({ model, metrics }) => [model, ...Object.keys(metrics)]),
  ).toEqual([
    ['tiny-stories', 'perplexity'],
    ['tiny-stories/fp16', 'perplexity', 'kl'],
    ['tiny-stories/int4-kquant', 'perplexity', 'kl'],
  ]);
  const made = readdirSync(join(home, 'variants', 'tiny-stories'));
  expect(made.filter((name) => /^(fp16|int4-kquant)/.test(name)).toSorted()).toEqual([
    'fp16',
    'int4-kquant',
  ]);
});

test('tells of the model also where there is nothing to measure of it', async () => {
  const metrics = ['--metrics', 'kl', '--data', 'stories', '--limit', '6'];
  const { code, json } = await sweep('--recipes', 'int8-weights', ...metrics, '--json');
  expect(code).toBe(0);
  const [own, variant] = documents.parse(json);
  expect(own).toMatchObject({ model: 'tiny-stories', metrics: {}, bench: null });
  expect(Object.keys(variant?.metrics ?? {})).toEqual(['kl']);
});

test.each([
  [['--metrics', 'perplexity', '--data', 'stories'], '--recipes is missing'],
  [['--recipes', 'int4-rtn,', '--bench'], '--recipes must be names with commas'],
  [['--recipes', 'int4-rtn'], '--metrics is missing'],
  [['--recipes', 'int4-rtn', '--metrics', 'kl'], '--data is missing'],
  [['--recipes', 'nobody', '--bench'], 'no recipe of this name: nobody'],
  [['--recipes', 'int4-rtn', '--metrics', 'kl', '--data', 'choices'], 'has no field "text"', 1],
])('refuses %j and makes nothing', async (words, message, exit = 2) => {
  const { code, err } = await sweep(...words);
  expect(err).toContain(message);
  expect(code).toBe(exit);
  const jobs = (await lathe(home, 'models', '--json')).json;
  expect(jobs).not.toContainEqual(expect.objectContaining({ name: 'tiny-stories/nobody' }));
});
