import { LatheError } from '../../../preload/contract/errors.ts';
import { type Floats, requireFinite } from '../linearAlgebra/matrix.ts';

/** Shannon entropy of a histogram, in bits per symbol. */
export function entropyOf(counts: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i];
  let bits = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] > 0) bits -= (counts[i] / total) * Math.log2(counts[i] / total);
  }
  return bits;
}

/** Options of entropy-constrained quantization. */
export interface EntropyOptions {
  /** λ of distortion + λ · bits: squared weight units per bit. 0 is a plain quantizer. */
  readonly lambda: number;
  /** Distance between the first levels. */
  readonly step: number;
  /** Levels on each side of 0; at most 127, so that a code fits a byte. Default 40. */
  readonly reach?: number;
  readonly iterations?: number;
}

/** Codes 0 … 2·reach, and what they stand for. */
export interface EntropyQuantized {
  readonly codes: Uint8Array;
  /** Value of each code, [2·reach + 1], rising. */
  readonly levels: Float64Array;
  readonly counts: Uint32Array;
  /** Bits per weight an ideal coder needs. */
  readonly entropy: number;
  /** Mean of (w - ŵ)². */
  readonly distortion: number;
}

/**
 * Entropy-constrained scalar quantization (Chou, Lookabaugh and Gray, 1989): minimises
 * D + λ·R, R = -log₂ p(code), by turns: each weight to its cheapest level, then probabilities and
 * centroids anew. Entropy never rises with λ, distortion never falls.
 *
 * With the weights sorted, those of one level lie between two bounds, and prefix sums give their
 * count and centroid at once: an iteration costs levels · log n instead of levels · n.
 */
export function quantizeEntropy(values: Floats, options: EntropyOptions): EntropyQuantized {
  const { lambda, step, reach = 40, iterations = 60 } = options;
  checkOptions(options, reach);
  requireFinite(values, 'weights');
  const size = 2 * reach + 1;
  const sorted = Float64Array.from(values).toSorted();
  const sums = new Float64Array(sorted.length + 1);
  for (let i = 0; i < sorted.length; i++) sums[i + 1] = sums[i] + sorted[i];

  const levels = Float64Array.from({ length: size }, (_, i) => (i - reach) * step);
  let probabilities = new Float64Array(size).fill(1 / size);
  const counts = new Uint32Array(size);
  let cheapest: Cheapest = { codes: [reach], starts: Float64Array.of(-Infinity) };
  for (let iteration = 0; iteration < iterations && sorted.length > 0; iteration++) {
    cheapest = cheapestLevels(levels, probabilities, lambda);
    const next = new Float64Array(size);
    counts.fill(0);
    cheapest.codes.forEach((code, i) => {
      const from = firstAbove(sorted, cheapest.starts[i], true);
      const until = cheapest.starts[i + 1] ?? Infinity;
      const to = firstAbove(sorted, until, true);
      counts[code] = to - from;
      if (to > from) levels[code] = (sums[to] - sums[from]) / (to - from);
      next[code] = (to - from) / sorted.length;
    });
    const change = next.reduce((most, p, i) => Math.max(most, Math.abs(p - probabilities[i])), 0);
    if (change < 1e-6) break;
    probabilities = next;
  }

  const codes = new Uint8Array(values.length);
  let distortion = 0;
  for (let i = 0; i < values.length; i++) {
    const code = cheapest.codes[firstAbove(cheapest.starts, values[i], false) - 1];
    codes[i] = code;
    distortion += (values[i] - levels[code]) ** 2;
  }
  distortion = values.length === 0 ? 0 : distortion / values.length;
  return { codes, levels, counts, entropy: entropyOf(counts), distortion };
}

function checkOptions({ lambda, step }: EntropyOptions, reach: number): void {
  if (!(lambda >= 0) || lambda === Infinity) {
    throw new LatheError('usage', `lambda must be a finite number from 0: ${lambda}`);
  }
  if (!(step > 0) || step === Infinity) {
    throw new LatheError('usage', `the step must be a finite number above 0: ${step}`);
  }
  if (!Number.isInteger(reach) || reach < 1 || reach > 127) {
    throw new LatheError('usage', `levels on each side must be from 1 to 127: ${reach}`);
  }
}

/** Weights from `starts[i]` up to `starts[i + 1]` are cheapest as level `codes[i]`. */
interface Cheapest {
  readonly codes: readonly number[];
  readonly starts: Float64Array;
}

/** The lower envelope of the lines -2·c·w + c² + λ·R(c), which differ from the costs by w² alone. */
function cheapestLevels(
  levels: Float64Array,
  probabilities: Float64Array,
  lambda: number,
): Cheapest {
  const intercepts = levels.map((level, code) => {
    // An unused level costs 1,000 bits, as good as never; with λ = 0 it may come back.
    const bits = probabilities[code] > 0 ? -Math.log2(probabilities[code]) : 1000;
    return level ** 2 + lambda * bits;
  });
  // Centroids may have overtaken a level that is not used.
  const rising = Array.from(levels.keys()).toSorted((a, b) => levels[a] - levels[b] || a - b);
  const codes: number[] = [];
  const starts: number[] = [];
  for (const code of rising) {
    let start = -Infinity;
    while (codes.length > 0) {
      const last = codes[codes.length - 1];
      const gap = levels[code] - levels[last];
      const extra = intercepts[code] - intercepts[last];
      // Of two equal levels the cheaper one serves everything, or the first one nothing less.
      start = gap > 0 ? extra / (2 * gap) : extra < 0 ? -Infinity : Infinity;
      if (start > starts[starts.length - 1]) break;
      codes.pop();
      starts.pop();
      start = -Infinity;
    }
    if (start === Infinity) continue;
    codes.push(code);
    starts.push(start);
  }
  return { codes, starts: Float64Array.from(starts) };
}

/** First index of rising values that is above `bound`, or with `equal` not below it. */
function firstAbove(rising: Float64Array, bound: number, equal: boolean): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rising[middle] > bound || (equal && rising[middle] === bound)) high = middle;
    else low = middle + 1;
  }
  return low;
}
