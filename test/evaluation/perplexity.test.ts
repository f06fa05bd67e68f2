import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTokenizer } from '../../main/engine/runner/tokenizer.ts';
import { bitsPerByte, perplexity, scoreText } from '../../main/evaluation/perplexity.ts';
import { bootstrapInterval } from '../../main/evaluation/statistics.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { saveModel } from '../../main/onnx/save.ts';
import type { Tokenizer } from '../../main/tokenizer/tokenizer.ts';
import { writeTinyLlama } from '../models/tinyLlama.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';
import { byteTokenizer } from '../models/byteTokenizer.ts';

let folder: string;
let decoder: Decoder;
let tokenizer: Tokenizer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-perplexity-'));
  writeTinyLlama(folder);
  tokenizer = await readTokenizer(folder);
  const { model } = tinyDecoder({ vocabularySize: byteTokenizer.vocabularySize });
  saveModel(model, join(folder, 'model.onnx'));
  decoder = await Decoder.open(join(folder, 'model.onnx'), {
    threads: 1,
    device: 'cpu',
    contextLength: 64,
  });
});

afterAll(async () => {
  await decoder.close();
  rmSync(folder, { recursive: true });
});

const text = 'Tom went to the sea, and the sea was cold.';

/** -ln p of each token but the first, every one behind at most `context` others. */
async function losses(ids: readonly number[], contexts: readonly number[]): Promise<number> {
  let sum = 0;
  for (let at = 1; at < ids.length; at++) {
    decoder.rewind(0);
    const logits = await decoder.prefill(ids.slice(Math.max(0, at - contexts[at]), at));
    const most = Math.max(...logits);
    const total = logits.reduce((all, logit) => all + Math.exp(logit - most), 0);
    sum -= logits[ids[at]] - most - Math.log(total);
  }
  return sum;
}

test('one window scores every token behind all before it', async () => {
  const ids = tokenizer.encode(text);
  const score = await scoreText(decoder, tokenizer, text, { window: 64, stride: 32 });
  expect(score.tokens).toBe(ids.length - 1);
  expect(score.nats).toBeCloseTo(
    await losses(
      ids,
      ids.map((_, at) => at),
    ),
    3,
  );
});

test('windows that slide score every token once, with the context their stride leaves', async () => {
  const ids = tokenizer.encode(text);
  const contexts = ids.map((_, at) => at);
  for (let scored = 16; scored < ids.length; scored += 6) {
    const end = Math.min(scored + 6, ids.length);
    for (let at = scored; at < end; at++) contexts[at] = at - (end - 16);
  }
  const score = await scoreText(decoder, tokenizer, text, { window: 16, stride: 6 });
  expect(score.tokens).toBe(ids.length - 1);
  expect(score.nats).toBeCloseTo(await losses(ids, contexts), 3);
});

test('texts are added up by tokens and bytes, not by texts', () => {
  const scores = [
    { nats: 20, tokens: 10, bytes: 40 },
    { nats: 300, tokens: 100, bytes: 400 },
    { nats: 4, tokens: 1, bytes: 4 },
  ];
  // The published example: losses 2, 3, 4 over 10, 100 and 1 tokens.
  expect(perplexity(scores)).toBeCloseTo(18.5213, 4);
  expect(bitsPerByte(scores)).toBeCloseTo(324 / Math.LN2 / 444, 12);
});

test('the interval holds the figure, narrows with more texts and repeats with its seed', () => {
  const many = Array.from({ length: 400 }, (_, i) => ({
    nats: 50 + (i % 40),
    tokens: 30,
    bytes: 99,
  }));
  const width = (scores: typeof many) => {
    const { low, high } = bootstrapInterval(scores, bitsPerByte, { samples: 300 });
    expect(low).toBeLessThan(bitsPerByte(scores));
    expect(high).toBeGreaterThan(bitsPerByte(scores));
    return high - low;
  };
  expect(width(many)).toBeLessThan(0.5 * width(many.slice(0, 40)));
  expect(bootstrapInterval(many, perplexity)).toEqual(bootstrapInterval(many, perplexity));
});

test('a stride that is not below the window, and a window beyond the context, are refused', async () => {
  for (const [window, stride] of [
    [16, 16],
    [65, 8],
    [16, 0],
  ]) {
    await expect(scoreText(decoder, tokenizer, text, { window, stride })).rejects.toMatchObject({
      code: 'usage',
    });
  }
});
