import { setImmediate as turn } from 'node:timers/promises';
import type { BenchRequest, Latency } from '../../preload/contract/bench.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import type { Decoder } from './decoder.ts';

/** What is timed: so many runs of a prompt and greedy steps, equal rows at once. */
export type Shape = Pick<BenchRequest, 'promptTokens' | 'newTokens' | 'batch' | 'runs'>;

/** Milliseconds of all runs that count, in the order they came. */
export interface Timings {
  /** The whole prompt: one per run. */
  readonly prefill: readonly number[];
  /** From the prompt to the first token chosen: one per run. */
  readonly first: readonly number[];
  /** From a token to the next: one per new token. */
  readonly decode: readonly number[];
  /** What all these steps together took; null where it cannot be read. */
  readonly joules: number | null;
}

export interface TimingOptions {
  readonly signal?: AbortSignal | undefined;
  /** Fraction of all runs done, the warming one included; never called while a clock runs. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  /** Called before prefill and decode of the warming run, which waits for it. */
  readonly onPhase?: ((phase: 'prefill' | 'decode') => Promise<void>) | undefined;
  /** Joules since some moment. */
  readonly energy?: (() => number) | null | undefined;
}

/** Progress is told at most this often, in milliseconds. */
const progressMs = 500;

/**
 * Times prefill and decode as generation does them: one run to warm up, then those that count. The
 * tokens of the prompt are arbitrary, every run begins with an empty cache. Throws
 * `context_overflow` before it starts, `cancelled` between tokens.
 */
export async function timeRuns(
  decoder: Decoder,
  { promptTokens, newTokens, batch, runs }: Shape,
  { signal, onProgress, onPhase, energy }: TimingOptions = {},
): Promise<Timings> {
  const { capacity, vocabularySize } = decoder;
  checkLength(promptTokens, newTokens, capacity);
  const rows = decoder.withRows(batch);
  const prompt = promptOf(promptTokens, vocabularySize);
  const prefill: number[] = [];
  const first: number[] = [];
  const decode: number[] = [];
  let joules = 0;
  let toldAt = -progressMs;
  const tell = async (run: number, token: number): Promise<void> => {
    if (signal?.aborted)
      throw new LatheError('cancelled', `cancelled in run ${run} of ${runs}, token ${token}`);
    const now = performance.now();
    if (now - toldAt < progressMs) return;
    toldAt = now;
    onProgress?.((run + token / newTokens) / (runs + 1));
    // Whatever telling takes is over before a clock runs again.
    await turn();
  };
  for (let run = 0; run <= runs; run++) {
    const isWarming = run === 0;
    rows.rewind(0);
    if (isWarming) await onPhase?.('prefill');
    await tell(run, 0);
    const start = performance.now();
    let logits = await rows.prefill(prompt, { signal });
    const read = performance.now();
    let id = largest(logits, vocabularySize);
    const chosen = performance.now();
    if (isWarming) await onPhase?.('decode');
    const joulesBefore = isWarming ? 0 : (energy?.() ?? 0);
    for (let token = 0; token < newTokens; token++) {
      await tell(run, token);
      const before = performance.now();
      logits = await rows.step(id);
      id = largest(logits, vocabularySize);
      if (!isWarming) decode.push(performance.now() - before);
    }
    if (isWarming) continue;
    joules += (energy?.() ?? 0) - joulesBefore;
    prefill.push(read - start);
    first.push(chosen - start);
  }
  onProgress?.(1);
  return { prefill, first, decode, joules: energy ? joules : null };
}

/** Throws `context_overflow` where prompt and new tokens are more than a model reads. */
export function checkLength(promptTokens: number, newTokens: number, capacity: number): void {
  if (promptTokens + newTokens <= capacity) return;
  throw new LatheError(
    'context_overflow',
    `prompt and new tokens are longer than the context: ${promptTokens} + ${newTokens} > ${capacity}`,
    { value: String(promptTokens + newTokens) },
  );
}

/** Arbitrary tokens: how long a model takes does not depend on them. */
export const promptOf = (length: number, vocabularySize: number): number[] =>
  Array.from({ length }, (_, at) => (at * 7919) % vocabularySize);

/**
 * Summarises samples in milliseconds, each of `tokens` tokens; tokens per second are those of the
 * median. A percentile needs samples beyond it to mean something: P90 from 10, P99 from 1,000,
 * P99.9 from 10,000 samples on.
 */
export function latencyOf(samples: readonly number[], tokens: number): Latency {
  const sorted = Float64Array.from(samples).toSorted();
  const shown = percentiles.filter(({ least }) => sorted.length >= least);
  const p50 = quantile(sorted, 0.5);
  return {
    samples: sorted.length,
    mean: sorted.reduce((sum, sample) => sum + sample, 0) / sorted.length,
    p50,
    ...Object.fromEntries(shown.map(({ name, share }) => [name, quantile(sorted, share)])),
    ci95: Object.fromEntries(
      shown.flatMap(({ name, share }) => {
        const interval = quantileInterval(sorted, share);
        return interval === null ? [] : [[name, interval]];
      }),
    ),
    tokensPerSecond: (1000 * tokens) / p50,
  };
}

/** Percentiles that are told, and from how many samples on. */
const percentiles = [
  { name: 'p50', share: 0.5, least: 1 },
  { name: 'p90', share: 0.9, least: 10 },
  { name: 'p99', share: 0.99, least: 1000 },
  { name: 'p999', share: 0.999, least: 10_000 },
] as const;

/** How many samples took longer than three times the median. */
export function outliers(samples: readonly number[], { p50 }: Latency): number {
  return samples.filter((sample) => sample > 3 * p50).length;
}

/** Nearest rank: the smallest sample that at least a share `share` of the samples do not exceed. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/**
 * The middle 95 % of a quantile by the ranks beside it (order statistics, normal approximation of
 * the binomial distribution, samples taken as independent); null where too few lie on one side.
 */
function quantileInterval(sorted: Float64Array, share: number): [number, number] | null {
  const { length } = sorted;
  const spread = 1.96 * Math.sqrt(length * share * (1 - share));
  const low = Math.floor(length * share - spread);
  const high = Math.ceil(length * share + spread);
  return low < 0 || high >= length ? null : [sorted[low], sorted[high]];
}

/** The most probable token of the first row. */
function largest(logits: Float32Array, vocabularySize: number): number {
  let best = 0;
  for (let id = 1; id < vocabularySize; id++) if (logits[id] > logits[best]) best = id;
  return best;
}
