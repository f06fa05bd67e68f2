import type { RunData } from './run.ts';

/** Figures of a run as it stands. What was not measured is null, never zero. */
export interface RunStatistics {
  /** Time to first token in milliseconds, from the start of prefill. */
  readonly ttftMs: number | null;
  /** Mean over the tokens after the first. */
  readonly tokensPerSecond: number | null;
  /** Tokens of the context in use: prompt, kept and new ones. */
  readonly used: number | null;
  readonly contextLength: number | null;
  readonly seed: number | null;
  readonly loadMs: number | null;
  readonly newTokens: number;
}

/** Gathers the figures that the tokens themselves carry. */
export function statisticsOf(run: RunData): RunStatistics {
  const later = run.count - 1;
  return {
    ttftMs: run.firstMs,
    tokensPerSecond: later > 0 && run.laterMs > 0 ? (later / run.laterMs) * 1000 : null,
    used: run.promptTokens === null ? null : usedTokens(run, run.promptTokens),
    contextLength: run.contextLength,
    seed: run.seed,
    loadMs: run.loadMs,
    newTokens: run.count,
  };
}

/** A sliding context drops its oldest half when it is full; the meter never passes its end. */
const usedTokens = (run: RunData, promptTokens: number): number =>
  Math.min(
    promptTokens + run.request.prefix.length + run.count,
    run.contextLength ?? Number.POSITIVE_INFINITY,
  );
