import type { BenchRequest } from '../../../preload/contract/bench.ts';
import type { Shape } from '../../inference/measure.ts';

/** One thing to time, and the place in a sweep it stands for. */
export interface Point {
  readonly sweep: 'none' | 'contexts' | 'batches' | 'threadCounts';
  readonly at: number;
  readonly detail: string;
  readonly shape: Shape;
}

/** What a request asks for, in the order it is measured: first what stands in no sweep. */
export function planOf(request: BenchRequest): Point[] {
  const { contexts, batches, threadCounts } = request;
  const { promptTokens, newTokens, batch, runs } = request;
  const shape = { promptTokens, newTokens, batch, runs };
  return [
    { sweep: 'none', at: 0, detail: 'prompt and new tokens', shape },
    ...[...new Set(contexts)].map((at) => ({
      sweep: 'contexts' as const,
      at,
      detail: `prompt of ${at} tokens`,
      shape: { ...shape, promptTokens: at },
    })),
    ...[...new Set(batches)].map((at) => ({
      sweep: 'batches' as const,
      at,
      detail: `batch of ${at}`,
      shape: { ...shape, batch: at },
    })),
    ...[...new Set(threadCounts)].map((at) => ({
      sweep: 'threadCounts' as const,
      at,
      detail: `threads: ${at}`,
      shape,
    })),
  ];
}

/** A guess at the time a point takes, for telling how far the whole is: reading is faster than writing. */
export const costOf = ({ promptTokens, newTokens, batch, runs }: Shape): number =>
  (runs + 1) * (promptTokens / 8 + newTokens) * Math.sqrt(batch);
