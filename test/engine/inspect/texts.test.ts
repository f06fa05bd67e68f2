import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { StepInput } from '../../../preload/contract/recipe.ts';
import { openWeights } from '../../../main/formats/weights.ts';
import { singularValues } from '../../../main/numeric/linearAlgebra/singularValues.ts';
import { float64Tensors } from '../../architectures/compare.ts';
import { referenceLlama } from '../../architectures/referenceLlama.ts';
import { writeTinyLlama } from '../../models/tinyLlama.ts';
import { codeOf, completion, cosine, lastOf, openWorkshop, type TestWorkshop } from './workshop.ts';

// Each of these loads models in processes of their own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

const stories = join(import.meta.dirname, '../../../resources/models/tiny-stories');
const config: Record<string, unknown> = JSON.parse(
  readFileSync(join(stories, 'config.json'), 'utf8'),
);

let workshop: TestWorkshop;
const variants = new Map<string, string>();

const steps: Record<string, StepInput[]> = {
  int4: [{ pass: 'quantize-rtn' }],
  int8: [{ pass: 'quantize-int8-dynamic' }],
  qdq: [{ pass: 'quantize-rtn', format: 'qdq', bits: 8, groupSize: 64 }],
  half: [{ pass: 'convert-float' }],
  thin: [{ pass: 'low-rank', keep: 0.6, whiten: false }],
  embedding: [{ pass: 'quantize-embedding', bits: 8 }],
};

beforeAll(async () => {
  workshop = await openWorkshop();
  for (const [name, passes] of Object.entries(steps)) {
    variants.set(name, await workshop.compress('tiny-stories', { name, passes }));
  }
});
afterAll(() => workshop.close());

const variant = (name: string): string => variants.get(name) ?? '';
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

/** A weight of the embedded model in float64. */
function stored(name: string): Float64Array {
  const weights = openWeights(stories);
  const values = float64Tensors(weights)(name);
  weights.close();
  return values;
}

/** ln p of every token of a text but the first, by a float64 reference. */
function referenceNats(ids: readonly number[]): number[] {
  const weights = openWeights(stories);
  const { data } = referenceLlama(config, float64Tensors(weights), ids).get('logits')!;
  weights.close();
  const size = Number(config['vocab_size']);
  return ids.slice(1).map((id, at) => {
    const row = data.slice(at * size, (at + 1) * size);
    const most = Math.max(...row);
    return -(row[id] - most - Math.log(sum(row.map((logit) => Math.exp(logit - most)))));
  });
}

describe('losses of a text', () => {
  const text = 'Once upon a time there was a little girl. She had a red ball.';

  test('are those of a float64 reference, for up to all variants at once', async () => {
    const models = ['tiny-stories', variant('int4'), variant('half')];
    const request = { models, text };
    const { losses } = await lastOf(workshop.client.inspect.losses(request));
    const nats = referenceNats(losses.tokens.map(({ id }) => id));
    expect(losses.models.map(({ model }) => model)).toEqual(models);
    const [base, int4, half] = losses.models;
    nats.forEach((one, at) => expect(base.nats[at]).toBeCloseTo(one, 4));
    nats.forEach((one, at) => expect(half.nats[at]).toBeCloseTo(one, 1));
    expect(base.kl).toBeNull();
    expect(sum(int4.kl ?? [])).toBeGreaterThan(sum(half.kl ?? []));
    expect(losses.deciles).toHaveLength(losses.tokens.length);
    for (const decile of losses.deciles.slice(1)) {
      const some = nats.filter((_, at) => losses.deciles[at + 1] === decile);
      expect(base.byDecile[decile]).toBeCloseTo(sum(some) / some.length, 4);
    }
  });

  test('of one model need no other', async () => {
    const request = { models: [variant('int4')], text: 'One day' };
    const { losses } = await lastOf(workshop.client.inspect.losses(request));
    expect(losses.models).toMatchObject([{ model: variant('int4'), kl: null }]);
  });

  test('are refused for models with other tokens, and stop when cancelled', async () => {
    writeTinyLlama(join(workshop.root, 'bytes'));
    const models = ['tiny-stories', join(workshop.root, 'bytes')];
    expect(await codeOf(lastOf(workshop.client.inspect.losses({ models, text })))).toBe('usage');
    const stop = new AbortController();
    const long = { models: ['tiny-stories', variant('int4')], text: text.repeat(600) };
    const read = async (): Promise<void> => {
      const events = await workshop.client.inspect.losses(long, { signal: stop.signal });
      for await (const event of events) if (event.kind === 'progress') stop.abort();
    };
    expect(await codeOf(read())).toBe('cancelled');
  });
});

describe('attribution', () => {
  test('tells how much each word does, by leaving it out and by an empty place', async () => {
    const model = 'tiny-stories';
    const prompt = completion('Lily had a red ball. She');
    const ask = (method: 'leave-one-out' | 'occlusion' | 'attention', level: 'token' | 'word') =>
      lastOf(workshop.client.inspect.attribution({ model, prompt, method, level }));
    const { attribution } = await ask('leave-one-out', 'word');
    const ids = attribution.tokens.map(({ id }) => id);
    expect(attribution.units.map(({ text }) => text)).toEqual([
      'Lily',
      ' had',
      ' a',
      ' red',
      ' ball',
      '.',
      ' She',
    ]);
    const lnP = (some: readonly number[]) =>
      -referenceNats([...some, attribution.target.id]).at(-1)!;
    expect(attribution.logprob).toBeCloseTo(lnP(ids), 4);
    for (const { start, end, effect } of attribution.units) {
      const rest = [...ids.slice(0, start), ...ids.slice(end)];
      expect(effect).toBeCloseTo(lnP(ids) - lnP(rest), 3);
    }
    expect(attribution.runs).toBe(8);
    const occluded = (await ask('occlusion', 'token')).attribution;
    expect(occluded.units).toHaveLength(ids.length - 1);
    const [space] = (await workshop.client.inspect.tokenText({ model, text: ' ' })).tokens;
    for (const { start, effect } of occluded.units) {
      expect(effect).toBeCloseTo(lnP(ids) - lnP(ids.with(start, space.id)), 3);
    }
    const seen = (await ask('attention', 'word')).attribution;
    const capture = await lastOf(workshop.client.inspect.capture({ model, prompt }));
    const { data } = await workshop.client.inspect.through({
      capture: capture.capture.id,
      method: 'rollout',
    });
    const row = data.slice(-ids.length);
    for (const { start, end, effect } of seen.units) {
      expect(effect).toBeCloseTo(sum(row.slice(start, end)), 5);
    }
  });

  test('refuses an empty prompt and a token that there is not', async () => {
    const { inspect } = workshop.client;
    const ask = (text: string, target?: number) =>
      codeOf(
        lastOf(
          inspect.attribution({
            model: 'tiny-stories',
            prompt: completion(text),
            ...(target !== undefined && { target }),
          }),
        ),
      );
    expect(await ask('')).toBe('usage');
    expect(await ask('One day', 1e6)).toBe('usage');
  });
});

test('a text is cut into tokens with their figures, nothing added', async () => {
  const text = 'Once upon a time, naïve 🙂';
  const found = await workshop.client.inspect.tokenText({ model: 'tiny-stories', text });
  expect(found.tokens.flatMap(({ bytes }) => bytes)).toEqual([...new TextEncoder().encode(text)]);
  expect(found).toMatchObject({ model: 'tiny-stories', words: 5, vocabularySize: 2048 });
  expect(found.tokensPerWord).toBe(found.tokens.length / 5);
  expect(found.used + found.unused).toBe(2048);
  const smile = found.tokens.slice(-4);
  expect(smile.map(({ fallback }) => fallback)).toContain('byte');
});

describe('neighbours of a token', () => {
  test('are nearest by cosine in the embedding, however it is stored', async () => {
    const { client } = workshop;
    const found = await client.inspect.neighbours({
      model: 'tiny-stories',
      token: ' girl',
      count: 5,
    });
    const table = stored('model.embed_tokens.weight');
    const width = Number(config['hidden_size']);
    const row = (id: number) => table.slice(id * width, (id + 1) * width);
    const all = Array.from({ length: table.length / width }, (_, id) => ({
      id,
      cosine: cosine(row(found.token.id), row(id)),
    }));
    const expected = all
      .filter(({ id }) => id !== found.token.id)
      .toSorted((a, b) => b.cosine - a.cosine)
      .slice(0, 5);
    expect(found.neighbours.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    for (const [at, one] of found.neighbours.entries()) {
      expect(one.cosine).toBeCloseTo(expected[at].cosine, 6);
    }
    const request = { model: variant('embedding'), token: found.token.id, count: 5 };
    const coded = await client.inspect.neighbours(request);
    expect(coded.neighbours[0].cosine).toBeCloseTo(expected[0].cosine, 2);
  });

  test('are refused for what is no token', async () => {
    const { inspect } = workshop.client;
    const ask = (token: number | string) =>
      codeOf(inspect.neighbours({ model: 'tiny-stories', token }));
    expect(await ask(2048)).toBe('usage');
    expect(await ask('')).toBe('usage');
  });
});

describe('a matrix', () => {
  const layer = 'blocks.1.mlp.down';
  const weight = stored('model.layers.1.mlp.down_proj.weight');

  test('of a float model is what is stored', async () => {
    const found = await workshop.client.inspect.weights({ model: 'tiny-stories', layer });
    const mean = sum(weight) / weight.length;
    expect(found).toMatchObject({ rows: 128, columns: 320, stored: 'float32', bits: 32 });
    expect(found.mean).toBeCloseTo(mean, 9);
    expect(found.deviation ** 2).toBeCloseTo(
      sum(weight.map((w) => (w - mean) ** 2)) / weight.length,
      9,
    );
    expect(sum(found.histogram.counts)).toBe(weight.length);
    const { from, to, counts } = found.histogram;
    const middle = weight.filter((w) => Math.abs(w) < to / counts.length).length;
    expect(Math.abs(counts[(counts.length - 1) / 2] - middle)).toBeLessThanOrEqual(2);
    expect(from).toBe(-to);
    const { values } = await singularValues({ rows: 128, columns: 320, data: weight });
    expect(found.singularValues).toHaveLength(128);
    found.singularValues.forEach((value, at) => expect(value).toBeCloseTo(values[at], 5));
    expect(found.difference).toBeNull();
  });

  test.each([
    ['int4', 'int4 in groups of 32', 5],
    ['int8', 'uint8, activations rounded as they come', 8.125],
    ['qdq', 'int8 in groups of 64 (QDQ)', 8.6],
    ['half', 'float16', 16],
    ['thin', '2 factors, float32', 18.9],
  ])(
    'of %s is beside that of its parent, and its error is the one that was reported',
    async (name, words, bits) => {
      const found = await workshop.client.inspect.weights({ model: variant(name), layer });
      expect(found.stored).toBe(words);
      expect(found.bits).toBeCloseTo(bits, 0);
      const { difference } = found;
      expect(difference).toMatchObject({ model: 'tiny-stories', gridRows: 64, gridColumns: 64 });
      expect(difference!.histogram.to).toBe(found.histogram.to);
      const { passes } = await workshop.client.models.report({ model: variant(name) });
      const report = passes[0].layers.find((one) => one.layer === layer);
      const reported = report?.measure === 'weight' ? report.errorAfter : null;
      expect(difference!.relativeError).toBeCloseTo(reported ?? difference!.relativeError, 4);
      // The map of errors holds the same error: cells of this matrix differ by one row or column.
      const power = sum(weight.map((w) => w * w));
      const squares = sum(difference!.grid.map((error) => error ** 2)) / difference!.grid.length;
      expect(Math.sqrt((squares * weight.length) / power)).toBeCloseTo(
        difference!.relativeError,
        3,
      );
    },
  );

  test('has nothing beside it where the other model has another size, or other layers', async () => {
    writeTinyLlama(join(workshop.root, 'small'));
    const against = join(workshop.root, 'small');
    const request = { model: 'tiny-stories', layer, against };
    expect((await workshop.client.inspect.weights(request)).difference).toBeNull();
  });

  test('that there is not is refused, with the names that there are', async () => {
    for (const name of ['blocks.9.mlp.down', '__proto__', '../x']) {
      const asked = workshop.client.inspect.weights({ model: 'tiny-stories', layer: name });
      await expect(asked).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('blocks.*.attn.qkv'),
      });
    }
  });
});
