import { afterAll, describe, expect, test } from 'vitest';
import { logitsBehind, readPair } from '../../main/evaluation/difference.ts';
import { generate } from '../../main/inference/generate.ts';
import type { Decoder } from '../../main/inference/decoder.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { edited } from '../../main/passes/edit.ts';
import { isFloatLinear, readWeight, weightEdit } from '../../main/passes/linear.ts';
import type { Model } from '../../main/onnx/model.ts';
import { generateRequestSchema } from '../../preload/contract/generation.ts';
import { float64Tensors } from '../architectures/compare.ts';
import { referenceLlama } from '../architectures/referenceLlama.ts';
import { byteTokenizer } from '../models/byteTokenizer.ts';
import { passContext } from '../passes/passContext.ts';
import { runStep } from '../passes/runDecoder.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';
import { openJson } from '../tokenizer/samples.ts';
import { openTemporary } from './openTemporary.ts';

const opened: Decoder[] = [];
afterAll(() => Promise.all(opened.map((decoder) => decoder.close())));

async function open(model: Model, contextLength?: number): Promise<Decoder> {
  const decoder = await openTemporary(model, contextLength);
  opened.push(decoder);
  return decoder;
}

const { vocabularySize } = byteTokenizer;
const tokenizer = openJson(byteTokenizer.files['tokenizer.json'], {
  config: byteTokenizer.files['tokenizer_config.json'],
});
const { endOfText } = tokenizer;

/** Ids that a model generates. */
async function greedy(decoder: Decoder, text: string): Promise<number[]> {
  const prompt = { kind: 'completion', text } as const;
  const sampling = { temperature: 0 };
  const request = { model: 'm', prompt, maxTokens: 24, sampling };
  const ids: number[] = [];
  const events = generate(decoder, tokenizer, generateRequestSchema.parse(request));
  for await (const event of events) if (event.kind === 'token') ids.push(event.id);
  return ids;
}

const softmax = (row: Float64Array): { p: Float64Array; logP: Float64Array } => {
  const most = Math.max(...row);
  const sum = row.reduce((all, logit) => all + Math.exp(logit - most), 0);
  const logP = row.map((logit) => logit - most - Math.log(sum));
  return { p: logP.map(Math.exp), logP };
};

describe('a pair of models on one text', () => {
  test('says what a float64 reference of both says, at every token', async () => {
    const options = { vocabularySize, heads: 4, keyValueHeads: 2 };
    const [base, variant] = [tinyDecoder(options), tinyDecoder({ ...options, seed: 2 })];
    const [a, b] = [await open(base.model), await open(variant.model)];
    const prompt = tokenizer.encode('Hi!');
    const reading = await readPair(a, b, prompt, { newTokens: 9, endOfText });
    expect(reading.ids.length).toBeGreaterThan(prompt.length);
    const rows = [base, variant].map(({ config, tensors }) => {
      const logits = referenceLlama(config, float64Tensors(tensors), reading.ids).get('logits')!;
      return reading.ids.map((_, at) =>
        softmax(logits.data.slice(at * vocabularySize, (at + 1) * vocabularySize)),
      );
    });
    const errors: number[] = [];
    reading.ids.forEach((_, at) => {
      const [own, other] = rows.map((model) => model[at]);
      const next = reading.ids[at + 1];
      for (const [side, row] of [
        [reading.base, own],
        [reading.variant, other],
      ] as const) {
        const top = row.logP.indexOf(Math.max(...row.logP));
        expect(side.top[at]).toBe(top);
        expect(side.topLogprobs[at]).toBeCloseTo(row.logP[top], 4);
        // Nothing follows the last.
        errors.push(next === undefined ? 0 : Math.abs(side.logprobs[at] - row.logP[next]));
        expect(Number.isNaN(side.logprobs[at])).toBe(next === undefined);
      }
      const kl = own.p.reduce((sum, p, i) => sum + p * (own.logP[i] - other.logP[i]), 0);
      expect(reading.kl[at]).toBeCloseTo(kl, 4);
    });
    expect(Math.max(...errors)).toBeLessThan(1e-4);
  });

  test('of equal models never parts, and has no divergence at all', async () => {
    const { model } = tinyDecoder({ vocabularySize });
    const reading = await readPair(await open(model), await open(model), [1, 80], {
      newTokens: 12,
      endOfText,
    });
    expect(reading.firstDivergence).toBeNull();
    expect([...reading.kl].every((kl) => kl === 0)).toBe(true);
  });

  test('writes no more than asked for, than fits, or than the base has to say', async () => {
    const { model } = tinyDecoder({ vocabularySize });
    const [a, b] = [await open(model, 10), await open(model, 12)];
    const read = (newTokens: number, end: ReadonlySet<number> = endOfText, prompt = [1, 80]) =>
      readPair(a, b, prompt, { newTokens, endOfText: end });
    const { ids } = await read(4);
    expect(ids).toHaveLength(6);
    expect((await read(0)).ids).toEqual([1, 80]);
    expect((await read(100)).ids).toHaveLength(10);
    // Told that the third token ends texts, it is the last one written.
    expect((await read(4, new Set([ids[4]]))).ids).toEqual(ids.slice(0, ids.indexOf(ids[4]) + 1));
    a.rewind(0);
    await expect(read(1, endOfText, Array<number>(11).fill(5))).rejects.toMatchObject({
      code: 'context_overflow',
    });
    // Refused before anything was read.
    expect(a.position).toBe(0);
  });
});

describe('where two models part', () => {
  test.each([4, 2] as const)('is where their own greedy texts do, at %i bits', async (bits) => {
    const base = tinyDecoder({ vocabularySize, contextLength: 64 });
    const step = { pass: 'quantize-rtn' as const, bits, targets: ['**'] };
    const variant = await runStep(base, step, passContext());
    const [a, b] = [await open(base.model), await open(variant.model)];
    let parted = 0;
    for (const text of ['', 'a', 'One day', 'It is', 'xyz', 'Why?', '1, 2, 3', 'ü', 'No', 'Hm']) {
      const [own, other] = [await greedy(a, text), await greedy(b, text)];
      const prompt = tokenizer.encode(text);
      const reading = await readPair(a, b, prompt, { newTokens: 24, endOfText });
      const written = reading.ids.slice(prompt.length).filter((id) => !endOfText.has(id));
      expect(written).toEqual(own);
      const common = own.findIndex((id, at) => id !== other[at]);
      const at = common >= 0 ? common : other.length === own.length ? null : own.length;
      expect(reading.firstDivergence).toBe(at === null ? null : prompt.length + at);
      if (at !== null) parted++;
    }
    expect(parted).toBeGreaterThan(0);
  });

  test('both say the same when asked again about one token', async () => {
    const base = tinyDecoder({ vocabularySize });
    const decoder = readDecoder(base.model);
    const [qkv] = decoder.linears.filter(isFloatLinear);
    const halved = readWeight(qkv).data.map((value) => value / 2);
    const changed = edited(base.model, weightEdit(qkv, halved));
    const [a, b] = [await open(base.model), await open(changed)];
    const { ids, promptTokens, variant } = await readPair(a, b, [1, 70, 71], {
      newTokens: 10,
      endOfText,
    });
    for (const at of [0, 2, 5]) {
      const logits = await logitsBehind(b, ids, promptTokens, at);
      expect(logits.indexOf(Math.max(...logits))).toBe(variant.top[at]);
    }
  });

  test('is not searched any further once cancelled', async () => {
    const { model } = tinyDecoder({ vocabularySize });
    const signal = AbortSignal.abort();
    const options = { newTokens: 4, endOfText, signal };
    await expect(
      readPair(await open(model), await open(model), [1, 2], options),
    ).rejects.toMatchObject({ code: 'cancelled' });
  });
});
