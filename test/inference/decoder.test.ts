import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { piecesOf } from '../../main/inference/decoder.ts';
import {
  continueGreedily,
  largest,
  largestDifference,
  promptOf,
  writeTinyModel,
  type TinyModel,
} from './tinyDecoder.ts';

let model: TinyModel;
beforeAll(() => {
  model = writeTinyModel();
});
afterAll(() => model.close());

const forms = ['fused', 'plain', 'unguarded', 'unindexed'] as const;

describe('decoding', () => {
  it('writes its cache in place only where the graph has the guard', async () => {
    const decoders = await Promise.all(forms.map((form) => model.open(form)));
    expect(decoders.map(({ fastCache }) => fastCache)).toEqual([true, false, false, false]);
  });

  it('chooses the same 200 tokens in place, copied, and in primitive operators', async () => {
    const prompt = promptOf(20);
    const texts = [];
    for (const form of forms)
      texts.push(await continueGreedily(await model.open(form), prompt, 200));
    expect(new Set(texts[0]).size).toBeGreaterThan(20);
    expect(texts).toEqual(Array(4).fill(texts[0]));
  });

  it.each(forms)('gives the logits of a fresh prefill after many steps (%s)', async (form) => {
    const decoder = await model.open(form);
    const prompt = promptOf(30);
    const ids = await continueGreedily(decoder, prompt, 50);
    const stepped = Float32Array.from(await decoder.step(ids[0]));
    const fresh = await (await model.open(form)).prefill([...prompt, ...ids, ids[0]]);
    expect(largestDifference(stepped, fresh)).toBeLessThan(1e-4);
  });

  it('keeps the text when the buffers grow in the middle of it', async () => {
    const prompt = promptOf(500);
    const grown = await model.open('fused');
    const before = grown.cacheBytes;
    const ids = await continueGreedily(grown, prompt, 40);
    expect(grown.cacheBytes).toBe(2 * before);
    expect(await continueGreedily(await model.open('plain'), prompt, 40)).toEqual(ids);
  });

  it('grows no further than the context', async () => {
    const decoder = await model.open('fused', 700);
    await decoder.prefill(promptOf(700));
    // Two layers, keys and values, two heads of 16, four bytes.
    expect(decoder.cacheBytes).toBe(2 * 2 * 2 * 16 * 4 * 700);
  });

  it('gives logits in one array that every step reuses', async () => {
    const decoder = await model.open('fused');
    const first = await decoder.prefill(promptOf(5));
    expect(await decoder.step(1)).toBe(first);
  });
});

describe('rewinding', () => {
  it.each(forms)('forgets what came behind (%s)', async (form) => {
    const decoder = await model.open(form);
    const [start, one, other] = [promptOf(40, 1), promptOf(9, 2), promptOf(9, 3)];
    await decoder.prefill([...start, ...one]);
    await decoder.step(5);
    decoder.rewind(40);
    expect(decoder.ids).toEqual(start);
    const logits = Float32Array.from(await decoder.prefill(other));
    const fresh = await (await model.open(form)).prefill([...start, ...other]);
    expect(largestDifference(logits, fresh)).toBeLessThan(1e-5);
  });

  it('keeps to the bit what was read in pieces, and says how much that is', async () => {
    const decoder = await model.open('fused');
    const [start, end] = [promptOf(40, 1), promptOf(30, 2)];
    await decoder.prefill(start);
    await decoder.step(5);
    await decoder.prefill(end);
    expect(decoder.reusable).toBe(40);
    decoder.rewind(33);
    expect(decoder.reusable).toBe(33);
    const kept = Float32Array.from(await decoder.prefill([...start.slice(33), ...end]));
    const fresh = await (await model.open('fused')).prefill([...start, ...end]);
    expect(largestDifference(kept, fresh)).toBe(0);
  });
});

const lengths = (count: number, most?: number): number[] =>
  piecesOf(promptOf(count), most).map((piece) => piece.length);

describe('reading a prompt', () => {
  it('tells its progress and stops between pieces when aborted', async () => {
    const decoder = await model.open('fused');
    const abort = new AbortController();
    const fractions: number[] = [];
    const onProgress = (fraction: number): void => {
      fractions.push(fraction);
      if (fractions.length === 2) abort.abort();
    };
    const reading = decoder.prefill(promptOf(1600), { onProgress, signal: abort.signal });
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    expect(fractions).toEqual([512 / 1600, 1024 / 1600]);
    expect(decoder.position).toBe(1024);
  });

  it('never reads a single token as a piece, unless it is the only one', () => {
    expect(lengths(1)).toEqual([1]);
    expect(lengths(513)).toEqual([511, 2]);
    expect(lengths(10, 3)).toEqual([3, 3, 2, 2]);
    expect(lengths(1025, 4096)).toEqual([512, 511, 2]);
    expect(lengths(1025)).toEqual([512, 511, 2]);
    expect(lengths(1100)).toEqual([512, 512, 76]);
  });

  it('refuses a text that is longer than the context, and reads nothing of it', async () => {
    const decoder = await model.open('fused', 64);
    await decoder.prefill(promptOf(60));
    await expect(decoder.prefill(promptOf(5))).rejects.toMatchObject({
      code: 'context_overflow',
      message: 'the text is longer than the context: 65 tokens, the model reads 64',
      data: { next: ['shorten-prompt'] },
    });
    expect(decoder.position).toBe(60);
  });

  it.each(forms)('refuses tokens that the model does not have (%s)', async (form) => {
    const decoder = await model.open(form);
    const refused = {
      code: 'tokenizer_invalid',
      message:
        "the tokenizer is not this model's: it gives token 300, the model's vocabulary has 300",
      data: { value: '300' },
    };
    await expect(decoder.prefill([1, 300])).rejects.toMatchObject(refused);
    await expect(decoder.logits([300, 1])).rejects.toMatchObject(refused);
    expect(decoder.position).toBe(0);
  });
});

describe('measuring', () => {
  it.each(forms)('gives the logits behind every token at once (%s)', async (form) => {
    const ids = promptOf(12);
    const all = await (await model.open(form)).logits(ids);
    expect(all.dims).toEqual([1, 12, 300]);
    const decoder = await model.open(form);
    const single: number[] = [largest(await decoder.prefill(ids.slice(0, 1)))];
    for (const id of ids.slice(1)) single.push(largest(await decoder.step(id)));
    const rows = Array.from({ length: 12 }, (_, at) => all.data.subarray(300 * at, 300 * (at + 1)));
    expect(rows.map(largest)).toEqual(single);
  });

  it.each(['fused', 'plain', 'unindexed'] as const)(
    'computes every row of a batch (%s)',
    async (form) => {
      const decoder = await model.open(form);
      const rows = decoder.withRows(3);
      const prompt = promptOf(600);
      const single = Float32Array.from(await decoder.prefill(prompt));
      const batch = await rows.prefill(prompt);
      expect(batch.length).toBe(3 * single.length);
      for (const row of [0, 1, 2]) {
        const logits = batch.subarray(row * single.length, (row + 1) * single.length);
        expect(largestDifference(logits, single)).toBeLessThan(1e-4);
      }
      expect((await rows.step(4)).length).toBe(3 * single.length);
      expect(decoder.position).toBe(600);
    },
  );
});
