import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { headStatisticsSchema, predictionSchema } from '../../preload/contract/inspect/index.ts';
import { tokenSchema } from '../../preload/contract/models.ts';
import { writeTinyLlama } from '../models/tinyLlama.ts';
import { lathe } from './lathe.ts';

// Each of these starts processes that load the runtime, beside others that do.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let home: string;
let model: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-inspect-'));
  home = join(folder, 'home');
  model = join(folder, 'model');
  writeTinyLlama(model, { keyValueHeads: 2, contextLength: 24 });
});
afterAll(() => rmSync(folder, { recursive: true }));

const array = z
  .object({ type: z.enum(['float32', 'int32']), shape: z.array(z.number()), base64: z.string() })
  .loose();

/** The numbers of an array of a document. */
function numbersOf({ type, shape, base64 }: z.infer<typeof array>): number[] {
  const { buffer } = Uint8Array.from(Buffer.from(base64, 'base64'));
  const numbers = [...(type === 'float32' ? new Float32Array(buffer) : new Int32Array(buffer))];
  expect(numbers).toHaveLength(shape.reduce((a, b) => a * b, 1));
  return numbers;
}

async function ask<T extends z.ZodType>(schema: T, ...words: string[]): Promise<z.infer<T>> {
  const { code, json, err } = await lathe(home, ...words, '--json');
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  return schema.parse(json);
}

const attention = z.object({
  model: z.string(),
  tokens: z.array(tokenSchema),
  layers: z.number(),
  heads: z.array(z.number()),
  statistics: z.array(headStatisticsSchema.extend({ divergence: z.number().optional() })),
  patterns: z.array(
    array.extend({ layer: z.number(), head: z.union([z.number(), z.literal('mean')]) }),
  ),
});

describe('lathe attention', () => {
  test('gives tokens, statistics of all heads and the mean pattern of each layer', async () => {
    const found = await ask(attention, 'attention', model, '--prompt', 'abcab');
    // One token a byte, the beginning of a text before them.
    expect(found.tokens.map(({ text }) => text).join('')).toBe('abcab');
    expect(found.tokens).toHaveLength(6);
    expect(found.statistics.map(({ layer, head }) => `${layer}.${head}`)).toHaveLength(8);
    expect(found.patterns.map(({ layer, head }) => [layer, head])).toEqual([
      [0, 'mean'],
      [1, 'mean'],
    ]);
    for (const pattern of found.patterns) {
      expect(pattern.shape).toEqual([6, 6]);
      const numbers = numbersOf(pattern);
      for (let row = 0; row < 6; row++) {
        const sum = numbers.slice(6 * row, 6 * row + 6).reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(1, 5);
      }
    }
  });

  test('gives one head where it is named, and says where each token looks', async () => {
    const words = ['attention', model, '--prompt', 'abcab', '--layer', '1', '--head', '2'];
    const found = await ask(attention, ...words);
    expect(found.statistics.map(({ layer, head }) => [layer, head])).toEqual([[1, 2]]);
    expect(found.patterns.map(({ layer, head }) => [layer, head])).toEqual([[1, 2]]);
    const { out } = await lathe(home, ...words);
    expect(out).toMatch(/^head +entropy.*\n +1\.2 /);
    expect(out).toMatch(/"a" +"/);
    expect(out.trim().split('\n')).toHaveLength(2 + 1 + 1 + 6);
  });

  test('lets later layers see that a head is switched off', async () => {
    const words = ['attention', model, '--prompt', 'abcab', '--layer', '1'];
    const whole = await ask(attention, ...words);
    const without = await ask(attention, ...words, '--ablate', '0.1');
    expect(numbersOf(without.patterns[0])).not.toEqual(numbersOf(whole.patterns[0]));
  });

  test('says how far each head is from that of another model', async () => {
    const other = join(folder, 'other');
    writeTinyLlama(other, { keyValueHeads: 2, contextLength: 24, seed: 2 });
    const words = ['attention', model, '--prompt', 'abcab', '--against'];
    const same = await ask(attention, ...words, model);
    expect(same.statistics.every(({ divergence }) => divergence === 0)).toBe(true);
    const different = await ask(attention, ...words, other);
    expect(different.statistics.every(({ divergence = 0 }) => divergence > 0)).toBe(true);
  });

  test.each([
    [['--prompt', 'a', '--layer', '2'], 2, /--layer must be below 2: 2/],
    [['--prompt', 'a', '--layer', '0', '--head', '4'], 2, /--head must be below 4: 4/],
    [['--prompt', 'a', '--head', '1'], 2, /--head needs a --layer/],
    [['--prompt', 'a', '--ablate', '7'], 2, /--ablate must be a layer and a head, as in 3\.7: 7/],
    [['--prompt', 'a', '--ablate', '0.4'], 2, /layer 0, head 4; the model has 4 heads in layer 0/],
    [[], 2, /--prompt or --prompt-file is missing/],
    [['--prompt', 'longer than the context of it'], 1, /longer than the context: 30 tokens.*24/],
  ] as [string[], number, RegExp][])('refuses %o', async (words, code, message) => {
    const ended = await lathe(home, 'attention', model, ...words);
    expect(ended.err).toMatch(message);
    expect(ended.code).toBe(code);
    expect(ended.out).toBe('');
  });
});

describe('lathe lens', () => {
  const schema = z.object({
    tokens: z.array(tokenSchema),
    lens: z.object({
      rows: z.number(),
      positions: z.number(),
      top: z.number(),
      ids: array,
      probabilities: array,
      final: array,
      norms: array,
      texts: z.record(z.string(), z.string()),
    }),
    predictions: z.array(predictionSchema),
  });

  test('gives what each layer would say; its last row is what the model says', async () => {
    const { lens, predictions } = await ask(schema, 'lens', model, '--prompt', 'abc', '--top', '3');
    expect(lens).toMatchObject({ rows: 3, positions: 4, top: 3 });
    expect(lens.ids).toMatchObject({ type: 'int32', shape: [3, 4, 3] });
    const ids = numbersOf(lens.ids).slice(-12);
    const probabilities = numbersOf(lens.probabilities).slice(-12);
    const said = predictions.flatMap(({ alternatives }) => alternatives);
    expect(ids).toEqual(said.map(({ id }) => id));
    said.forEach(({ logprob, id, text }, at) => {
      expect(probabilities[at]).toBeCloseTo(Math.exp(logprob), 5);
      expect(lens.texts[String(id)]).toBe(text);
    });
    expect(predictions.at(-1)?.logprob).toBe(null);
  });

  test('shows a table of layers, and refuses a number of tokens that it cannot show', async () => {
    const { out } = await lathe(home, 'lens', model, '--prompt', 'abc', '--top', '2');
    expect(out).toMatch(/^behind .*\nembedding .*\nblock 0 .*\nblock 1 /);
    expect(out).toMatch(/final token +norm +most probable/);
    const refused = await lathe(home, 'lens', model, '--prompt', 'abc', '--top', '21');
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toMatch(/--top must be a whole number from 1 to 20: 21/);
  });
});
