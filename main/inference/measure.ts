import type { BenchRequest, Latency } from '../../preload/contract/bench.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import type { Decoder } from './decoder.ts';

/** What a timing loop found; the caller adds memory and loading. */
export interface Timings {
  /** One sample per run: the whole prompt. */
  readonly prefill: Latency;
  /** One sample per new token. */
  readonly decode: Latency;
  /** From the prompt to the first token chosen, median of the runs. */
  readonly ttftMs: number;
}

interface MeasureOptions {
  /** Fraction of all runs done, the warming one included. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Times prefill and decode as generation does them: one run to warm up, then `runs` times a
 * prompt of `promptTokens` and `newTokens` greedy steps, for `batch` equal rows at once. Nothing
 * is kept from one run to the next. Throws `context_overflow` before it starts, `cancelled`
 * between tokens.
 */
export async function benchDecode(
  decoder: Decoder,
  { promptTokens, newTokens, batch, runs }: Omit<BenchRequest, 'model' | 'form'>,
  { onProgress, signal }: MeasureOptions = {},
): Promise<Timings> {
  const { capacity, vocabularySize } = decoder;
  if (promptTokens + newTokens > capacity)
    throw new LatheError(
      'context_overflow',
      `prompt and new tokens are longer than the context: ${promptTokens} + ${newTokens} > ${capacity}`,
      { value: String(promptTokens + newTokens) },
    );
  const rows = decoder.withRows(batch);
  const prompt = Array.from({ length: promptTokens }, (_, at) => (at * 7919) % vocabularySize);
  const prefill: number[] = [];
  const decode: number[] = [];
  const first: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const warming = run === 0;
    rows.rewind(0);
    const start = performance.now();
    let logits = await rows.prefill(prompt, { signal });
    const read = performance.now();
    let id = largest(logits, vocabularySize);
    if (!warming) {
      prefill.push(read - start);
      first.push(performance.now() - start);
    }
    for (let token = 0; token < newTokens; token++) {
      if (signal?.aborted)
        throw new LatheError('cancelled', `cancelled in run ${run} of ${runs}, token ${token}`);
      const before = performance.now();
      logits = await rows.step(id);
      id = largest(logits, vocabularySize);
      if (!warming) decode.push(performance.now() - before);
    }
    onProgress?.((run + 1) / (runs + 1));
  }
  return {
    prefill: latencyOf(prefill, promptTokens * batch),
    decode: latencyOf(decode, batch),
    ttftMs: quantile(first.toSorted(ascending), 0.5),
  };
}

/**
 * Summarises samples in milliseconds, each of `tokens` tokens; tokens per second are those of the
 * median. A percentile needs samples beyond it to mean something: P90 from 10, P99 from 1,000,
 * P99.9 from 10,000 samples on.
 */
export function latencyOf(samples: readonly number[], tokens: number): Latency {
  const sorted = samples.toSorted(ascending);
  const p50 = quantile(sorted, 0.5);
  return {
    samples: sorted.length,
    p50,
    ...(sorted.length >= 10 && { p90: quantile(sorted, 0.9) }),
    ...(sorted.length >= 1000 && { p99: quantile(sorted, 0.99) }),
    ...(sorted.length >= 10_000 && { p999: quantile(sorted, 0.999) }),
    tokensPerSecond: (1000 * tokens) / p50,
  };
}

/** Nearest rank: the smallest sample that at least a share `share` of the samples do not exceed. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

const ascending = (a: number, b: number): number => a - b;

/** The most probable token of the first row. */
function largest(logits: Float32Array, vocabularySize: number): number {
  let best = 0;
  for (let id = 1; id < vocabularySize; id++) if (logits[id] > logits[best]) best = id;
  return best;
}
