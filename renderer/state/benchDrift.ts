import type { BenchRecord } from '../../preload/contract/index.ts';
import { changesBetween } from './drift.ts';

/** How a measurement stands to the one before it of the same model and the same set-up. */
export interface BenchDrift {
  readonly before: BenchRecord;
  /** Median time per token, this one to the one before: 1.12 where it is 12 % slower. */
  readonly ratio: number;
  /** What else differs, in words. */
  readonly changes: readonly string[];
}

/** What runs of one model on one machine differ by without a reason. */
const usual = 0.05;

/** null for the first of its kind. */
export function driftOf(record: BenchRecord, records: readonly BenchRecord[]): BenchDrift | null {
  const before = records
    .filter((other) => other.measuredAt < record.measuredAt && isAlike(other, record))
    .toSorted((a, b) => b.measuredAt - a.measuredAt)[0];
  if (!before) return null;
  return {
    before,
    ratio: record.decode.p50 / before.decode.p50,
    changes: changesBetween(before, record),
  };
}

/** Whether a drift is worth a word: something changed around it, or the time did by itself. */
export const isDrift = ({ ratio, changes }: BenchDrift): boolean =>
  changes.length > 0 || Math.abs(ratio - 1) > usual;

const isAlike = (a: BenchRecord, b: BenchRecord): boolean =>
  a.modelSha256 === b.modelSha256 &&
  (['form', 'promptTokens', 'newTokens', 'batch'] as const).every(
    (key) => a.request[key] === b.request[key],
  );
