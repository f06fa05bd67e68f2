import { LatheError } from '../../../preload/contract/errors.ts';
import { requireFinite } from '../linearAlgebra/matrix.ts';

/** The reals a static 8-bit tensor must cover. */
export interface ActivationRange {
  readonly least: number;
  readonly greatest: number;
}

/** Watches one activation over the calibration batches, then says which range to quantize. */
export interface RangeObserver {
  observe(values: Float32Array): void;
  /** Refused before anything was observed. */
  range(): ActivationRange;
}

/** How ranges are chosen. */
export type CalibrationMethod =
  | { readonly kind: 'min-max' }
  /** Weight of the newest batch; onnxruntime's is 0.01. */
  | { readonly kind: 'moving-average'; readonly constant?: number }
  /** Share of the values kept, in percent; onnxruntime's is 99.999. */
  | { readonly kind: 'percentile'; readonly percentile?: number }
  | { readonly kind: 'entropy' };

/** Bins from 0 to the largest magnitude, on each side of 0. */
const binCount = 2048;
/** Codes for one sign of an 8-bit tensor. */
const levels = 128;
const candidateStep = 16;

/** An observer with no values yet. */
export function createRangeObserver(method: CalibrationMethod): RangeObserver {
  switch (method.kind) {
    case 'min-max':
      return extremes((seen, batch) => ({
        least: Math.min(seen.least, batch.least),
        greatest: Math.max(seen.greatest, batch.greatest),
      }));
    case 'moving-average': {
      const constant = checkShare(method.constant ?? 0.01, 'the averaging constant');
      return extremes((seen, batch) => ({
        least: seen.least + constant * (batch.least - seen.least),
        greatest: seen.greatest + constant * (batch.greatest - seen.greatest),
      }));
    }
    case 'percentile': {
      const share = checkShare((method.percentile ?? 99.999) / 100, 'the percentile / 100');
      return fromHistogram((histogram) => percentileRange(histogram, share));
    }
    case 'entropy':
      return fromHistogram(entropyRange);
  }
}

function checkShare(share: number, what: string): number {
  if (share > 0 && share <= 1) return share;
  throw new LatheError('usage', `${what} must be above 0 and at most 1: ${share}`);
}

function extremesOf(values: Float32Array): ActivationRange | null {
  requireFinite(values, 'calibration activations');
  if (values.length === 0) return null;
  let least = Infinity;
  let greatest = -Infinity;
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return { least, greatest };
}

function extremes(
  merge: (seen: ActivationRange, batch: ActivationRange) => ActivationRange,
): RangeObserver {
  let seen: ActivationRange | null = null;
  return {
    observe(values) {
      const batch = extremesOf(values);
      if (batch) seen = seen ? merge(seen, batch) : batch;
    },
    range: () => seen ?? refuseEmpty(),
  };
}

/** Counts of values by size, exact however the range grows: `above[i]` counts [i, i+1) · width. */
interface Histogram {
  readonly above: Float64Array;
  readonly below: Float64Array;
  width: number;
  least: number;
  greatest: number;
}

function fromHistogram(choose: (histogram: Histogram) => ActivationRange): RangeObserver {
  let histogram: Histogram | null = null;
  return {
    observe(values) {
      const batch = extremesOf(values);
      if (!batch) return;
      histogram ??= {
        above: new Float64Array(binCount),
        below: new Float64Array(binCount),
        width: 0,
        ...batch,
      };
      count(histogram, values, batch);
    },
    range: () => (histogram ? choose(histogram) : refuseEmpty()),
  };
}

function refuseEmpty(): never {
  throw new LatheError('usage', 'calibration needs values, seen so far: 0');
}

function count(histogram: Histogram, values: Float32Array, batch: ActivationRange): void {
  histogram.least = Math.min(histogram.least, batch.least);
  histogram.greatest = Math.max(histogram.greatest, batch.greatest);
  const limit = Math.max(-batch.least, batch.greatest);
  if (histogram.width === 0 && limit > 0) {
    // Only zeros so far: they lie in the first bin whatever its width.
    histogram.width = limit / binCount;
  }
  while (limit > histogram.width * binCount) {
    for (const bins of [histogram.above, histogram.below]) mergePairs(bins);
    histogram.width *= 2;
  }
  for (const value of values) {
    const bins = value < 0 ? histogram.below : histogram.above;
    const bin = histogram.width === 0 ? 0 : Math.floor(Math.abs(value) / histogram.width);
    bins[Math.min(bin, binCount - 1)]++;
  }
}

/** Doubles the width of all bins: none is split, so no count is ever guessed. */
function mergePairs(bins: Float64Array): void {
  for (let i = 0; i < bins.length; i++) {
    const at = 2 * i;
    bins[i] = at < bins.length ? bins[at] + bins[at + 1] : 0;
  }
}

/** Cuts the same share of values at both ends, to the next edge of a bin. */
function percentileRange(histogram: Histogram, share: number): ActivationRange {
  const { above, below, width, least, greatest } = histogram;
  const all = sum(above) + sum(below);
  const cut = ((1 - share) / 2) * all;
  return {
    least: Math.max(least, edgeFrom(below.toReversed(), above, cut, -1) * width),
    greatest: Math.min(greatest, edgeFrom(above.toReversed(), below, cut, 1) * width),
  };
}

/**
 * Walks from the outermost bin of one side (`outer`, outermost first) inwards and on to the other
 * side (`inner`, innermost first) until more than `cut` values lie behind; the edge in bins.
 */
function edgeFrom(outer: Float64Array, inner: Float64Array, cut: number, sign: 1 | -1): number {
  let behind = 0;
  for (let i = 0; i < outer.length; i++) {
    behind += outer[i];
    if (behind > cut) return sign * (outer.length - i);
  }
  for (let i = 0; i < inner.length; i++) {
    behind += inner[i];
    if (behind > cut) return -sign * i;
  }
  return 0;
}

/**
 * The limit ± t whose clipped distribution of magnitudes P loses least when merged to 128 levels:
 * least KL(P ‖ Q) over t = 128, 144, … 2,048 bins, the values beyond t counted in P's last bin but
 * not in Q (else the smallest t would always win), Q's levels spread over their non-empty bins.
 */
function entropyRange({ above, below, width, least, greatest }: Histogram): ActivationRange {
  const bins = above.map((value, i) => value + below[i]);
  let best = binCount;
  let bestDivergence = Infinity;
  for (let size = levels; size <= binCount; size += candidateStep) {
    const divergence = clippingDivergence(bins, size);
    if (divergence < bestDivergence) {
      bestDivergence = divergence;
      best = size;
    }
  }
  const limit = best * width;
  return { least: Math.max(least, -limit), greatest: Math.min(greatest, limit) };
}

function clippingDivergence(bins: Float64Array, size: number): number {
  const clipped = bins.slice(0, size);
  const reference = clipped.slice();
  reference[size - 1] += sum(bins.subarray(size));
  const merged = new Float64Array(size);
  const perLevel = size / levels;
  for (let level = 0; level < levels; level++) {
    const from = Math.floor(level * perLevel);
    const to = Math.floor((level + 1) * perLevel);
    let total = 0;
    let used = 0;
    for (let i = from; i < to; i++) {
      total += clipped[i];
      if (reference[i] > 0) used++;
    }
    for (let i = from; i < to; i++) if (reference[i] > 0) merged[i] = total / used;
  }
  const p = smooth(reference);
  const q = smooth(merged);
  if (p === null || q === null) return Infinity;
  const pTotal = sum(p);
  const qTotal = sum(q);
  let divergence = 0;
  for (let i = 0; i < size; i++) {
    if (p[i] > 0) divergence += (p[i] / pTotal) * Math.log(p[i] / pTotal / (q[i] / qTotal));
  }
  return divergence;
}

/** Gives empty bins a little of the others' weight, so that the divergence stays finite. */
function smooth(bins: Float64Array): Float64Array | null {
  const empty = bins.reduce((zeros, value) => zeros + (value === 0 ? 1 : 0), 0);
  const used = bins.length - empty;
  if (used === 0) return null;
  const epsilon = 1e-4;
  const taken = (epsilon * empty) / used;
  return bins.map((value) => (value === 0 ? epsilon : Math.max(value - taken, epsilon)));
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
