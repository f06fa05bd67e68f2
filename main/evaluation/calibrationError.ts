import type { TokenReadings } from './documents.ts';

/** Bins of equal width over confidence 0 … 1. */
export const calibrationBins = 15;

/**
 * Per bin of confidence: positions, Σ confidence and how often the most probable token was right;
 * one row of 3 · 15 numbers, to be added up over texts.
 */
export function calibrationSums({ ids, top, confidence }: TokenReadings): number[] {
  const sums = Array.from({ length: 3 * calibrationBins }, () => 0);
  confidence.forEach((sure, at) => {
    const bin = 3 * Math.min(calibrationBins - 1, Math.floor(sure * calibrationBins));
    sums[bin] += 1;
    sums[bin + 1] += sure;
    sums[bin + 2] += top[at] === ids[at] ? 1 : 0;
  });
  return sums;
}

/**
 * Expected calibration error: the gap between confidence and accuracy, averaged over bins by their
 * positions (Guo et al. 2017), 0 … 1.
 */
export function calibrationError(sums: readonly number[]): number {
  let gap = 0;
  let positions = 0;
  for (let bin = 0; bin < sums.length; bin += 3) {
    positions += sums[bin];
    gap += Math.abs(sums[bin + 1] - sums[bin + 2]);
  }
  return gap / positions;
}
