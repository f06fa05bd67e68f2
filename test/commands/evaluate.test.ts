import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import {
  evaluationRecordSchema,
  measurementSchema,
  type Measurement,
} from '../../preload/contract/evaluation.ts';
import { writeTinyLlama } from '../models/tinyLlama.ts';
import { lathe, start } from './lathe.ts';

// Each of these starts processes that load the runtime, beside others that do.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let home: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-evaluate-'));
  home = join(folder, 'home');
});
afterAll(() => rmSync(folder, { recursive: true }));

const schema = z.record(
  z.string(),
  measurementSchema.extend({ against: measurementSchema.shape.against.optional() }).strict(),
);

async function evaluate(metrics: string, data: string, ...more: string[]) {
  const words = [
    'evaluate',
    'tiny-stories',
    '--metrics',
    metrics,
    '--data',
    data,
    '--json',
    ...more,
  ];
  const { code, json, err } = await lathe(home, ...words);
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  return { results: schema.parse(json), err };
}

/** Texts that take a while. */
function longData(): string {
  const file = join(folder, 'long.json');
  const text = 'One day a cat ran to a tree. '.repeat(40);
  writeFileSync(file, JSON.stringify(Array.from({ length: 30 }, (_, at) => `Day ${at}. ${text}`)));
  return file;
}

/** Resolves when a job has kept what it read of so many texts. */
async function untilKept(texts: number): Promise<void> {
  const jobs = join(home, 'jobs');
  const kept = (): number => {
    const files = readdirSync(jobs).map((job) => join(jobs, job, 'readings.jsonl'));
    const [file] = files.filter((one) => existsSync(one));
    return file === undefined ? 0 : readFileSync(file, 'utf8').split('\n').length - 2;
  };
  while (kept() < texts) await sleep(5);
}

/** A share that is neither chance nor perfection, with an interval around it. */
function expectShare(
  measured: Pick<Measurement, 'n' | 'value' | 'ci95'> | undefined,
  chance: number,
  n: number,
): void {
  expect(measured?.n).toBe(n);
  expect(measured?.value).toBeGreaterThan(chance);
  expect(measured?.value).toBeLessThan(1);
  const [low, high] = measured?.ci95 ?? [NaN, NaN];
  expect(low).toBeLessThan(measured?.value ?? NaN);
  expect(high).toBeGreaterThan(measured?.value ?? NaN);
}

async function failure(...words: string[]) {
  const { json } = await lathe(home, 'evaluate', 'tiny-stories', '--json', ...words);
  return (json as { error: { code: string; message: string } }).error;
}

describe('evaluate on the embedded model', () => {
  test('measures texts, and a second time only on request, to the same bit', async () => {
    const metrics = 'perplexity,bits-per-byte,rare-token-loss,calibration-error';
    const first = await evaluate(metrics, 'stories', '--limit', '12');
    const { perplexity, 'bits-per-byte': bits } = first.results;
    expect(Object.keys(first.results)).toEqual(metrics.split(','));
    expect(perplexity?.value).toBeGreaterThan(5);
    expect(perplexity?.value).toBeLessThan(100);
    expect(perplexity?.ci95?.[0]).toBeLessThan(perplexity?.value ?? NaN);
    expect(perplexity).toMatchObject({ n: 12, protocol: expect.stringContaining('window=512') });
    expect(bits?.value).toBeLessThan(2.5);
    const known = await evaluate(metrics, 'stories', '--limit', '12');
    expect(known.err).toContain('measured before');
    expect(known.results).toEqual(first.results);
    const again = await evaluate(metrics, 'stories', '--limit', '12', '--again');
    expect(again.err).not.toContain('measured before');
    expect(again.results).toEqual(first.results);
  });

  test('writes the records in full for other programs', async () => {
    const words = ['evaluate', 'tiny-stories', '--metrics', 'perplexity,bits-per-byte'];
    const asked = [...words, '--data', 'stories', '--limit', '12', '--format'];
    const json = await lathe(home, ...asked, 'json');
    const records = z.array(evaluationRecordSchema).parse(json.json);
    expect(records.map(({ metric, data }) => `${metric} ${data}`)).toEqual([
      'perplexity stories',
      'bits-per-byte stories',
    ]);
    const [perplexity] = records;
    const { value, n, dataSha256 } = perplexity ?? {};
    const csv = (await lathe(home, ...asked, 'csv')).out.split('\r\n');
    expect(csv[0]).toMatch(/^metric,model,value,low95,high95,n,base,/);
    expect(csv[1]).toMatch(new RegExp(`^perplexity,tiny-stories,${value},`));
    expect(csv[1]).toContain(`,${n},`);
    expect(csv[1]).toContain(dataSha256);
    const markdown = (await lathe(home, ...asked, 'markdown')).out.trim().split('\n');
    expect(markdown).toHaveLength(4);
    expect(markdown[2]).toMatch(`| perplexity | tiny-stories | ${value} |`);
  });

  test('goes on with the same command after a crash, to the same bit', async () => {
    const words = ['evaluate', 'tiny-stories', '--metrics', 'perplexity,rare-token-loss'];
    const asked = [...words, '--data', longData(), '--json'];
    const undisturbed = await lathe(home, ...asked);
    const running = start(home, [...asked, '--again']);
    await untilKept(4);
    running.child.kill('SIGKILL');
    await running.ended;
    const resumed = await lathe(home, ...asked, '--again');
    expect(resumed.err).toMatch(/resuming perplexity, rare-token-loss of tiny-stories/);
    expect(resumed.err).toMatch(/going on behind item \d+/);
    expect(resumed.json).toEqual(undisturbed.json);
    expect(readdirSync(join(home, 'jobs'))).toEqual([]);
  });

  test('leaves nothing when it is ended by Ctrl-C', async () => {
    const words = ['evaluate', 'tiny-stories', '--metrics', 'perplexity', '--again'];
    const running = start(home, [...words, '--data', longData(), '--json']);
    await untilKept(3);
    running.child.kill('SIGINT');
    const { code, json } = await running.ended;
    expect(code).toBe(130);
    expect(json).toMatchObject({ error: { code: 'cancelled' } });
    expect(readdirSync(join(home, 'jobs'))).toEqual([]);
  });

  test('answers the questions that ship with Lathe better than chance', async () => {
    const { results: choices } = await evaluate('accuracy,accuracy-norm', 'choices');
    expectShare(choices['accuracy'], 0.4, 30);
    expectShare(choices['accuracy-norm'], 0.4, 30);
    const { results: pairs } = await evaluate('minimal-pairs', 'minimal-pairs');
    expectShare(pairs['minimal-pairs'], 0.6, 40);
    const { results: words } = await evaluate('last-word,exact-match,f1,bleu,chrf', 'last-words');
    expectShare(words['last-word'], 0.1, 30);
    expect(words['bleu']?.protocol).toContain('tok:13a|smooth:exp');
  });

  test('compares a variant with its base on the same tokens', async () => {
    const made = await lathe(
      home,
      'compress',
      'tiny-stories',
      '--recipe',
      'int4-rtn',
      '--name',
      'q',
    );
    expect(made.code).toBe(0);
    const words = ['evaluate', 'tiny-stories/q', '--against', 'tiny-stories', '--data', 'stories'];
    const metrics = ['kl', 'top-1', 'delta-perplexity', 'first-divergence', 'perplexity'];
    const { json } = await lathe(home, ...words, '--metrics', metrics.join(','), '--json');
    const results = schema.parse(json);
    expect(Object.keys(results)).toEqual(metrics);
    expect(results['kl']?.value).toBeGreaterThan(0);
    expect(results['kl']?.details['max']).toBeGreaterThan(results['kl']?.value ?? NaN);
    expectShare(results['top-1'], 0.5, 60);
    const { against, value } = results['perplexity'];
    expect(against?.difference).toBeCloseTo(value - (against?.value ?? NaN), 9);
    expect(against?.difference).toBeCloseTo(results['delta-perplexity']?.value ?? NaN, 9);
    expect(against?.pValue).toBeLessThanOrEqual(1);
  });

  test('refuses what cannot be measured with the line or the models at fault', async () => {
    const file = join(folder, 'bad.jsonl');
    writeFileSync(file, '{"text": "fine"}\n{"txt": "wrong"}\n');
    expect(await failure('--metrics', 'perplexity', '--data', file)).toMatchObject({
      code: 'file_malformed',
      message: expect.stringMatching(/^line 2 has no field "text"/),
    });
    writeFileSync(file, '{"story": "fine"}\n{"story": ""}\n');
    expect(
      await failure('--metrics', 'perplexity', '--data', file, '--field', 'text=story'),
    ).toMatchObject({
      code: 'file_malformed',
      message: expect.stringMatching(/^line 2: "text" is/),
    });
    writeFileSync(file, JSON.stringify({ text: 'and then '.repeat(400) }));
    expect(
      await failure('--metrics', 'perplexity', '--data', file, '--long', 'refuse'),
    ).toMatchObject({ code: 'context_overflow' });
    expect(await failure('--metrics', 'kl', '--data', 'stories')).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('a model to compare with'),
    });
    expect(await failure('--metrics', 'perplexity', '--data', 'minimal-pairs')).toMatchObject({
      code: 'file_malformed',
    });
    const tiny = join(folder, 'tiny');
    writeTinyLlama(tiny);
    for (const metric of ['kl', 'bits-per-byte']) {
      const words = ['--metrics', metric, '--data', 'stories', '--against', tiny];
      expect(await failure(...words)).toMatchObject({
        code: 'usage',
        message: expect.stringMatching(new RegExp(`^${metric} compares .*the same tokens`)),
      });
    }
  });

  test.each([
    [['--data', 'stories'], '--metrics is missing'],
    [['--metrics', 'perplexity'], '--data is missing'],
    [['--metrics', 'beauty', '--data', 'stories'], 'no metric of this name: beauty'],
    [['--metrics', 'kl', '--data', 'stories', '--field', 'text'], '--field must be NAME=FIELD'],
    [['--metrics', 'kl', '--data', 'stories', '--long', 'cut'], '--long must be slide or refuse'],
    [
      ['--metrics', 'kl', '--data', 'stories', '--limit', '0'],
      '--limit: Too small: expected number to be >=1: 0',
    ],
    [['--metrics', 'kl', '--data', ''], '--data is missing'],
    [['--metrics', 'kl', '--data', 'stories', '--format', 'xml'], '--format must be one of'],
    [['--metrics', 'kl', '--data', 'stories', '--format', 'csv', '--json'], 'one of them only'],
    [['--metrics', 'kl', '--data', 'storys'], 'storys; there are stories, minimal-pairs'],
  ])('says what is wrong with %j', async (words, message) => {
    const { code, out, err } = await lathe(home, 'evaluate', 'tiny-stories', ...words);
    expect(code).toBe(2);
    expect(out + err).toContain(message);
  });
});

test('no story of the set that models are measured on is part of the calibration text', () => {
  const resources = join(import.meta.dirname, '../../resources');
  const calibration = readFileSync(join(resources, 'calibration/stories.txt'), 'utf8');
  const stories = z
    .array(z.string())
    .parse(JSON.parse(readFileSync(join(resources, 'evaluation/stories.json'), 'utf8')));
  expect(stories).toHaveLength(60);
  const sentences = stories.flatMap((story) => story.match(/[^.?!]{30,}[.?!]/g) ?? []);
  expect(sentences.filter((sentence) => calibration.includes(sentence.trim()))).toEqual([]);
});
