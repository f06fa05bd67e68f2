import { createRandom } from '../numeric/random.ts';

interface BootstrapOptions {
  /** How many resampled sets. */
  readonly samples?: number;
  readonly seed?: number;
}

/** The middle 95 % of a figure. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The middle 95 % of a figure over resampled items (percentile bootstrap; Efron 1979): how much it
 * would differ on other items of the kind. The same seed gives the same interval to the bit.
 */
export function bootstrapInterval<Item>(
  items: readonly Item[],
  figure: (items: readonly Item[]) => number,
  options: BootstrapOptions = {},
): Interval {
  return middle(resampled(items, figure, options));
}

/** A difference between two models on the same items. */
export interface Comparison extends Interval {
  /**
   * Two-sided: how often resampled differences lie on the other side of zero, doubled; at least
   * 1 / (samples + 1) · 2.
   */
  readonly pValue: number;
}

/** Paired bootstrap of a difference that `figure` computes from items read by both models. */
export function pairedBootstrap<Item>(
  items: readonly Item[],
  figure: (items: readonly Item[]) => number,
  options: BootstrapOptions = {},
): Comparison {
  const differences = resampled(items, figure, options);
  const share = (count: number): number => (count + 1) / (differences.length + 1);
  const below = share(differences.filter((difference) => difference <= 0).length);
  const above = share(differences.filter((difference) => difference >= 0).length);
  return { ...middle(differences), pValue: Math.min(1, 2 * Math.min(below, above)) };
}

/** The figure on sets of as many items, drawn with replacement; ascending. */
function resampled<Item>(
  items: readonly Item[],
  figure: (items: readonly Item[]) => number,
  { samples = 1000, seed = 0 }: BootstrapOptions,
): number[] {
  const random = createRandom(seed);
  const figures = Array.from({ length: samples }, () =>
    figure(items.map(() => items[Math.floor(random.next() * items.length)])),
  );
  // A set drawn may hold nothing that the figure could be taken of.
  return figures.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
}

function middle(sorted: readonly number[]): Interval {
  return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

/** The value at a share of the way through ascending values, the nearest of them. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))];
}

/** Adds up rows of numbers, column by column. */
export function columnSums(rows: readonly (readonly number[])[]): number[] {
  const sums = rows[0].map(() => 0);
  for (const row of rows) for (let i = 0; i < row.length; i++) sums[i] += row[i];
  return sums;
}
