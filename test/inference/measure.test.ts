import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { benchDecode, latencyOf } from '../../main/inference/measure.ts';
import { writeTinyModel, type TinyModel } from './tinyDecoder.ts';

let model: TinyModel;
beforeAll(() => {
  model = writeTinyModel();
});
afterAll(() => model.close());

const samples = (count: number): number[] => Array.from({ length: count }, (_, at) => count - at);

describe('latencies', () => {
  it('are the nearest-rank percentiles, tokens per second those of the median', () => {
    expect(latencyOf(samples(20), 4)).toEqual({
      samples: 20,
      p50: 10,
      p90: 18,
      tokensPerSecond: 400,
    });
  });

  it('have only the percentiles that their number of samples can show', () => {
    expect(Object.keys(latencyOf(samples(9), 1))).toEqual(['samples', 'p50', 'tokensPerSecond']);
    expect(latencyOf(samples(999), 1).p99).toBeUndefined();
    expect(latencyOf(samples(1000), 1).p99).toBe(990);
    expect(latencyOf(samples(9999), 1).p999).toBeUndefined();
    expect(latencyOf(samples(10_000), 1).p999).toBe(9990);
  });
});

describe('a measurement', () => {
  const request = { promptTokens: 12, newTokens: 5, batch: 2, runs: 3 };

  it('has a prefill per run and a step per new token, the warming run left out', async () => {
    const decoder = await model.open('fused');
    await decoder.prefill([1, 2, 3]);
    const fractions: number[] = [];
    const onProgress = (fraction: number): void => void fractions.push(fraction);
    const { prefill, decode, ttftMs } = await benchDecode(decoder, request, { onProgress });
    expect([prefill.samples, decode.samples]).toEqual([3, 15]);
    expect(prefill.tokensPerSecond).toBeCloseTo(24_000 / prefill.p50);
    expect(decode.tokensPerSecond).toBeCloseTo(2000 / decode.p50);
    expect(ttftMs).toBeGreaterThanOrEqual(prefill.p50);
    expect(fractions).toEqual([0.25, 0.5, 0.75, 1]);
    // The text that the decoder was in is still there.
    expect(decoder.ids).toEqual([1, 2, 3]);
  });

  it('does not begin where prompt and new tokens do not fit', async () => {
    const decoder = await model.open('fused', 16);
    await expect(benchDecode(decoder, request)).rejects.toMatchObject({
      code: 'context_overflow',
      message: 'prompt and new tokens are longer than the context: 12 + 5 > 16',
    });
  });

  it('ends between two tokens when aborted', async () => {
    const decoder = await model.open('fused');
    const signal = AbortSignal.abort();
    await expect(benchDecode(decoder, request, { signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});
