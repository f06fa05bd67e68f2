import type { DocumentReading } from './documents.ts';
import { quantile } from './statistics.ts';

/** KL(base ‖ model) over all positions of all texts, in nats. */
export interface Divergence {
  readonly mean: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

export function divergence(readings: readonly DocumentReading[]): Divergence {
  const all = Float64Array.from(readings.flatMap(({ kl }) => [...kl])).toSorted();
  return {
    mean: all.reduce((sum, value) => sum + value, 0) / all.length,
    median: quantile(all, 0.5),
    p99: quantile(all, 0.99),
    max: all[all.length - 1],
  };
}

/** At how many positions both models hold the same token for the most probable. */
export function agreements({ model, base }: DocumentReading): number {
  return model.top.reduce((count, top, at) => count + (top === base?.top[at] ? 1 : 0), 0);
}

/**
 * The first position at which the models hold different tokens for the most probable, the text
 * being given: so many tokens a greedy continuation would share. null where there is none.
 */
export function firstDivergence({ model, base }: DocumentReading): number | null {
  const at = model.top.findIndex((top, position) => top !== base?.top[position]);
  return at < 0 ? null : at;
}
