import type { Matrix } from '../linearAlgebra/matrix.ts';

/** Values counted in bins of equal width between two ends; the upper end belongs to the last bin. */
export interface Histogram {
  readonly from: number;
  readonly to: number;
  readonly counts: number[];
}

/** Largest magnitude; 0 of nothing. */
export function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

/**
 * Counts values between `-reach` and `reach`, which none may exceed. With an odd number of bins 0 is
 * the middle of the middle one.
 */
export function histogram(values: ArrayLike<number>, reach: number, bins: number): Histogram {
  const counts = Array.from({ length: bins }, () => 0);
  const width = (2 * reach) / bins;
  for (let i = 0; i < values.length; i++) {
    const bin = width === 0 ? (bins - 1) / 2 : (values[i] + reach) / width;
    counts[Math.min(bins - 1, Math.max(0, Math.floor(bin)))]++;
  }
  return { from: -reach, to: reach, counts };
}

/** Mean and standard deviation of values, and how many of them are 0; float64, in two passes. */
export function moments(values: ArrayLike<number>): {
  mean: number;
  deviation: number;
  zeros: number;
} {
  let sum = 0;
  let zeros = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    if (values[i] === 0) zeros++;
  }
  const mean = values.length === 0 ? 0 : sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  const deviation = values.length === 0 ? 0 : Math.sqrt(squares / values.length);
  return { mean, deviation, zeros };
}

/** Deviations above the mean of all channels' largest weights from which on a channel stands out. */
const outlierDeviations = 6;

/** Columns of [N, K] whose largest magnitude stands out among those of all, the largest first. */
export function outlierColumns({
  rows,
  columns,
  data,
}: Matrix): { channel: number; largest: number }[] {
  const largest = new Float64Array(columns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      largest[column] = Math.max(largest[column], Math.abs(data[at]));
    }
  }
  const { mean, deviation } = moments(largest);
  return Array.from(largest, (value, channel) => ({ channel, largest: value }))
    .filter(({ largest: value }) => value > mean + outlierDeviations * deviation)
    .toSorted((a, b) => b.largest - a.largest);
}
