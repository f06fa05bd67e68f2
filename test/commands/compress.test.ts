import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { compressEstimateSchema } from '../../preload/contract/jobs.ts';
import { modelRecordSchema } from '../../preload/contract/models.ts';
import { layerReportSchema, recipeSchema } from '../../preload/contract/recipe.ts';
import { writeTinyLlama } from '../models/tinyLlama.ts';
import { lathe, start, type Ended } from './lathe.ts';

// Each of these starts processes that load the runtime, beside others that do.
vi.setConfig({ testTimeout: 120_000 });

let root: string;
let home: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lathe-compress-'));
  home = join(root, 'home');
});
afterAll(() => rmSync(root, { recursive: true }));

const run = (...args: string[]): Promise<Ended> => lathe(home, ...args);
const compress = (...args: string[]): Promise<Ended> => run('compress', 'tiny-stories', ...args);

/** What the library holds of variants and unfinished work. */
const contents = (): string[] =>
  ['jobs', 'variants'].flatMap((name) => {
    const folder = join(home, name);
    return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  });

function writeRecipe(name: string, recipe: object): string {
  const file = join(root, `${name}.json`);
  writeFileSync(file, JSON.stringify({ name, ...recipe }));
  return file;
}

const document = modelRecordSchema.extend({
  passes: z.array(
    z.strictObject({
      pass: z.string(),
      changed: z.number().int(),
      seconds: z.number().positive(),
      bytesBefore: z.number(),
      bytes: z.number(),
      layers: z.array(layerReportSchema),
      notes: z.array(z.string()),
    }),
  ),
});

async function greedy(model: string): Promise<string> {
  const options = ['--max-tokens', '24', '--temperature', '0', '--json'];
  const { json } = await run('generate', model, '--prompt', 'Once upon a time', ...options);
  return z.looseObject({ text: z.string() }).parse(json).text;
}

describe('a recipe of the library', () => {
  test('makes a variant that is listed, and generates', async () => {
    const { code, out } = await compress('--recipe', 'int4-rtn', '--json');
    expect({ code, lines: out.trim().split('\n').length }).toEqual({ code: 0, lines: 1 });
    const made = document.strict().parse(JSON.parse(out));
    expect(made).toMatchObject({
      name: 'tiny-stories/int4-rtn',
      parent: 'tiny-stories',
      precision: 'int4',
      source: 'library',
    });
    expect(made.passes.at(-1)).toMatchObject({ pass: 'quantize-rtn' });
    expect(made.passes.at(-1)?.changed).toBe(made.passes.at(-1)?.layers.length);
    expect(made.passes.at(-1)?.changed).toBeGreaterThanOrEqual(20);
    const listed = z.array(modelRecordSchema).parse((await run('models', '--json')).json);
    const original = listed.find(({ name }) => name === 'tiny-stories');
    expect(listed.map(({ name }) => name)).toEqual(['tiny-stories', 'tiny-stories/int4-rtn']);
    expect(made.parameters).toBe(original?.parameters);
    expect(made.bytes).toBeLessThan((original?.bytes ?? 0) / 2);
    const text = await greedy('tiny-stories/int4-rtn');
    expect(text.split(' ').length).toBeGreaterThan(10);
    expect(await greedy(made.folder)).toBe(text);
  });

  test('says in a dry run what it would make, and makes nothing', async () => {
    const before = contents();
    const { code, json } = await compress('--recipe', 'int4-rtn', '--dry-run', '--json');
    expect(code).toBe(0);
    const estimate = compressEstimateSchema.parse(json);
    expect(estimate).toMatchObject({ calibration: null });
    expect(estimate.steps.at(-1)?.pass).toBe('quantize-rtn');
    expect(estimate.bytes).toBeLessThan(estimate.bytesBefore / 2);
    expect(contents()).toEqual(before);
  });

  test('is changed by --set', async () => {
    const file = writeRecipe('rounded', { passes: [{ pass: 'quantize-rtn' }] });
    const set = ['--set', 'passes.0.bits=8', '--set', 'passes.0.accuracy=exact'];
    const { code } = await compress('--recipe', file, '--name', 'eight', ...set);
    expect(code).toBe(0);
    const manifest: unknown = JSON.parse(
      readFileSync(join(home, 'variants', 'tiny-stories', 'eight', 'lathe.json'), 'utf8'),
    );
    const { made } = z
      .looseObject({ made: z.looseObject({ recipe: recipeSchema }) })
      .parse(manifest);
    expect(made.recipe.passes).toMatchObject([
      { pass: 'quantize-rtn', bits: 8, accuracy: 'exact', groupSize: 32 },
    ]);
  });
});

const pass = (step: object) => ({ passes: [step] });

describe('a recipe that cannot work is refused before any work:', () => {
  test.each<[string, object, string[], string, string]>([
    ['a pass there is none of', pass({ pass: 'shrink' }), [], 'usage', 'there is no such pass'],
    ['an option there is none of', pass({ pass: 'fuse', bits: 4 }), [], 'usage', 'passes.0'],
    [
      'a glob that matches nothing',
      pass({ pass: 'quantize-rtn', targets: ['x.*'] }),
      [],
      'usage',
      'x.*',
    ],
    [
      'a text shorter than a sequence',
      { calibration: { data: 'SHORT' }, ...pass({ pass: 'quantize-gptq' }) },
      [],
      'usage',
      'shorter than one sequence',
    ],
    [
      'a text that is not there',
      { calibration: { data: '/nowhere.txt' }, ...pass({ pass: 'quantize-gptq' }) },
      [],
      'file_missing',
      '/nowhere.txt',
    ],
    [
      'a limit that cannot be met',
      pass({
        pass: 'quantize-mixed',
        limit: { kind: 'bits-per-weight', most: 1 },
        sensitivity: 'weight-error',
      }),
      [],
      'usage',
      'quantize-mixed',
    ],
    [
      'a change of what is not there',
      pass({ pass: 'fuse' }),
      ['--set', 'passes.3.bits=2'],
      'usage',
      '3',
    ],
  ])('%s', async (name, recipe, options, code, message) => {
    const before = contents();
    const short = join(root, 'short.txt');
    writeFileSync(short, 'Too short.');
    const text = JSON.stringify(recipe).replace('SHORT', short.replaceAll('\\', '/'));
    const file = writeRecipe(name, JSON.parse(text));
    const ended = await compress('--recipe', file, ...options, '--json');
    const { error } = z
      .object({ error: z.looseObject({ code: z.string(), message: z.string() }) })
      .parse(ended.json);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(ended.code).toBe(code === 'usage' ? 2 : 1);
    expect(contents()).toEqual(before);
  });

  test('weights that are no numbers, by the name of their tensor', async () => {
    const folder = join(root, 'broken');
    writeTinyLlama(folder);
    const file = join(folder, 'model.safetensors');
    const bytes = readFileSync(file);
    bytes.writeFloatLE(NaN, bytes.length - 4);
    writeFileSync(file, bytes);
    const ended = await run('compress', folder, '--recipe', 'int4-rtn', '--json');
    expect(ended.json).toMatchObject({
      error: { code: 'values_not_finite', tensor: 'lm_head.weight' },
    });
    expect(ended.code).toBe(1);
    expect(contents().filter((name) => name.includes('broken'))).toEqual([]);
  });

  test('a recipe that is not known names those that are', async () => {
    const { code, err } = await compress('--recipe', 'nothing');
    expect(code).toBe(2);
    expect(err).toContain('int4-rtn');
  });

  test('a name that is taken', async () => {
    const ended = await compress('--recipe', 'int4-rtn', '--name', 'int4-rtn', '--json');
    expect(ended.json).toMatchObject({ error: { code: 'already_exists' } });
  });
});

/** Runs until it says that a layer is at work. */
async function atWork(name: string) {
  const calibration = { sequences: 64, length: 256 };
  const passes = [
    { pass: 'quantize-rtn', targets: ['blocks.0.**'] },
    { pass: 'quantize-gptq', targets: ['!blocks.0.**', '!lm_head'] },
  ];
  const file = writeRecipe(name, { calibration, passes });
  const running = start(home, ['compress', 'tiny-stories', '--recipe', file]);
  let said = '';
  await new Promise<void>((resolve) => {
    running.child.stderr?.on('data', (text: string) => {
      said += text;
      if (said.includes('blocks.1')) resolve();
    });
  });
  return { running, file };
}

test('Ctrl-C ends it and leaves nothing', async () => {
  const before = contents();
  const { running } = await atWork('stopped');
  running.child.kill('SIGINT');
  expect((await running.ended).code).toBe(130);
  expect(contents()).toEqual(before);
});

const sha256 = ({ json }: Ended): string => modelRecordSchema.parse(json).sha256;

test('after it was killed, the same command goes on and makes what it would have made', async () => {
  const { running, file } = await atWork('killed');
  running.child.kill('SIGKILL');
  await running.ended;
  const resumed = await compress('--recipe', file, '--json');
  expect(resumed.err).toContain('resuming tiny-stories/killed');
  const whole = await compress('--recipe', file, '--name', 'whole', '--json');
  expect(sha256(resumed)).toBe(sha256(whole));
  expect(readdirSync(join(home, 'jobs'))).toEqual([]);
});
