import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { latencyOf, outliers, timeRuns } from '../../main/inference/measure.ts';
import { createRandom } from '../../main/numeric/random.ts';
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
      mean: 10.5,
      p50: 10,
      p90: 18,
      ci95: { p50: [6, 16] },
      tokensPerSecond: 400,
    });
  });

  it('have only the percentiles that their number of samples can show', () => {
    const names = (count: number): string[] =>
      Object.keys(latencyOf(samples(count), 1)).filter((name) => name.startsWith('p'));
    expect(names(9)).toEqual(['p50']);
    expect(names(10)).toEqual(['p50', 'p90']);
    expect(names(999)).toEqual(['p50', 'p90']);
    expect(names(1000)).toEqual(['p50', 'p90', 'p99']);
    expect(names(9999)).toEqual(['p50', 'p90', 'p99']);
    expect(names(10_000)).toEqual(['p50', 'p90', 'p99', 'p999']);
    expect(latencyOf(samples(10_000), 1)).toMatchObject({ p90: 9000, p99: 9900, p999: 9990 });
  });

  it('have intervals that cover the median of evenly spread samples in 93 to 97 of 100 draws', () => {
    const random = createRandom(42);
    const draws = 1000;
    let covered = 0;
    for (let draw = 0; draw < draws; draw++) {
      const drawn = Array.from({ length: 400 }, () => random.next());
      const [low, high] = latencyOf(drawn, 1).ci95?.p50 ?? [1, 0];
      if (low <= 0.5 && 0.5 <= high) covered++;
    }
    expect(covered / draws).toBeGreaterThan(0.93);
    expect(covered / draws).toBeLessThan(0.97);
  });

  it('have no interval where too few samples lie beside a percentile', () => {
    const names = [7, 8, 100, 1000].map((count) => {
      const { ci95 = {} } = latencyOf(samples(count), 1);
      return Object.keys(ci95);
    });
    expect(names).toEqual([[], ['p50'], ['p50', 'p90'], ['p50', 'p90', 'p99']]);
  });

  it('lose no sample, and count those beyond three times the median', () => {
    const some = [2, 2, 2, 6, 6.1, 100];
    expect(outliers(some, latencyOf(some, 1))).toBe(2);
    expect(latencyOf(some, 1).samples).toBe(6);
  });
});

describe('a measurement', () => {
  const shape = { promptTokens: 12, newTokens: 5, batch: 2, runs: 3 };

  it('has a prefill per run and a step per new token, the warming run left out', async () => {
    const decoder = await model.open('fused');
    await decoder.prefill([1, 2, 3]);
    const fractions: number[] = [];
    const phases: string[] = [];
    const { prefill, first, decode, joules } = await timeRuns(decoder, shape, {
      onProgress: (fraction) => void fractions.push(fraction),
      onPhase: async (phase) => void phases.push(phase),
    });
    expect([prefill.length, first.length, decode.length, joules]).toEqual([3, 3, 15, null]);
    for (const [run, ms] of first.entries()) expect(ms).toBeGreaterThanOrEqual(prefill[run]);
    expect(Math.min(...prefill, ...decode)).toBeGreaterThan(0);
    expect([fractions.at(0), fractions.at(-1)]).toEqual([0, 1]);
    expect(phases).toEqual(['prefill', 'decode']);
    // The text that the decoder was in is still there.
    expect(decoder.ids).toEqual([1, 2, 3]);
  });

  it('counts the energy of the steps that count, and of nothing else', async () => {
    const decoder = await model.open('fused');
    let asked = 0;
    // Asked before and after the steps of each of three runs: 1, 2; 4, 8; 16, 32.
    const { joules } = await timeRuns(decoder, shape, { energy: () => 2 ** asked++ });
    expect(joules).toBe(2 - 1 + (8 - 4) + (32 - 16));
  });

  it('does not begin where prompt and new tokens do not fit', async () => {
    const decoder = await model.open('fused', 16);
    await expect(timeRuns(decoder, shape)).rejects.toMatchObject({
      code: 'context_overflow',
      message: 'prompt and new tokens are longer than the context: 12 + 5 > 16',
    });
  });

  it('ends between two tokens when aborted', async () => {
    const decoder = await model.open('fused');
    const stop = new AbortController();
    const onPhase = async (phase: string): Promise<void> => {
      if (phase === 'decode') stop.abort();
    };
    const timing = timeRuns(decoder, shape, { signal: stop.signal, onPhase });
    await expect(timing).rejects.toMatchObject({
      code: 'cancelled',
      message: 'cancelled in run 0 of 3, token 0',
    });
  });
});
