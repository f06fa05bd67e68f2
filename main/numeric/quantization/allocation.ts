import { LatheError } from '../../../preload/contract/errors.ts';

/** One way to store a layer. */
export interface StorageOption {
  /** For example `int4` or `int8`. */
  readonly name: string;
  readonly bytes: number;
  /** What it costs in quality; errors of layers add up. */
  readonly error: number;
}

/** A layer and the ways to store it. */
export interface AllocationLayer {
  readonly name: string;
  /** Layers with the same tie get the same option: query, key and value; gate and up. */
  readonly tie?: string;
  readonly weights: number;
  readonly options: readonly StorageOption[];
}

/** What must hold; the other of size and error is made as small as it goes. */
export type AllocationLimit =
  | { readonly kind: 'bytes'; readonly most: number }
  /** Mean over all weights of the layers given. */
  | { readonly kind: 'bits-per-weight'; readonly most: number }
  | { readonly kind: 'error'; readonly most: number };

/** The choice, layer by layer in the order given. */
export interface Allocation {
  readonly choices: readonly { readonly layer: string; readonly option: string }[];
  readonly bytes: number;
  readonly error: number;
  readonly bitsPerWeight: number;
  /** No choice can be better than this in what was minimised (the relaxed problem's optimum). */
  readonly bound: number;
}

interface Group {
  readonly layers: readonly number[];
  /** Smallest first, each larger one with less error, and falling gain per byte (lower hull). */
  readonly hull: readonly StorageOption[];
}

/**
 * Mixed precision (greedy on the lower convex hull of each layer's options): everything starts at
 * its smallest, and upgrades are taken by error saved per byte. With a size limit, upgrades that no
 * longer fit are passed over for later ones that do; with an error limit, upgrades stop when it is
 * met, and any that turn out not to be needed are taken back. Up to the one upgrade that did not
 * fit this is the optimum of the relaxed knapsack, whose value is returned as `bound`.
 */
export function allocatePrecision(
  layers: readonly AllocationLayer[],
  limit: AllocationLimit,
): Allocation {
  const groups = tieGroups(layers);
  const weights = layers.reduce((sum, layer) => sum + layer.weights, 0);
  const steps = groups
    .flatMap(({ hull }, group) =>
      hull.slice(1).map((option, i) => ({
        group,
        to: i + 1,
        bytes: option.bytes - hull[i].bytes,
        gain: hull[i].error - option.error,
      })),
    )
    .toSorted((a, b) => b.gain * a.bytes - a.gain * b.bytes || a.group - b.group || a.to - b.to);
  const chosen = groups.map(() => 0);
  const total = (of: 'bytes' | 'error') =>
    groups.reduce((sum, { hull }, i) => sum + hull[chosen[i]][of], 0);
  const bound =
    limit.kind === 'error'
      ? fillToError(limit.most)
      : fillToBytes(limit.kind === 'bytes' ? limit.most : (limit.most * weights) / 8, limit);

  const choices: { layer: string; option: string }[] = layers.map(({ name }) => ({
    layer: name,
    option: '',
  }));
  groups.forEach(({ layers: members, hull }, i) => {
    for (const member of members) choices[member].option = hull[chosen[i]].name;
  });
  const bytes = total('bytes');
  return { choices, bytes, error: total('error'), bitsPerWeight: (8 * bytes) / weights, bound };

  function fillToBytes(most: number, { most: asked }: { most: number }): number {
    let size = total('bytes');
    if (!(size <= most)) {
      throw new LatheError(
        'usage',
        `the smallest possible size is ${size} bytes (${(8 * size) / weights} bits per weight), the limit: ${asked}`,
      );
    }
    let relaxed = total('error');
    let room = most - size;
    for (const step of steps) {
      if (room > 0) relaxed -= step.gain * Math.min(1, room / step.bytes);
      room -= step.bytes;
      if (step.to !== chosen[step.group] + 1 || size + step.bytes > most) continue;
      chosen[step.group] = step.to;
      size += step.bytes;
    }
    return relaxed;
  }

  function fillToError(most: number): number {
    let relaxed = total('bytes');
    let missing = total('error') - most;
    for (const step of steps) {
      if (missing > 0) relaxed += step.bytes * Math.min(1, missing / step.gain);
      missing -= step.gain;
      if (total('error') <= most) break;
      chosen[step.group] = step.to;
    }
    if (!(total('error') <= most)) {
      throw new LatheError(
        'usage',
        `the smallest possible error is ${total('error')}, the limit: ${most}`,
      );
    }
    // The last upgrade may have saved more than was missing: give back the largest that allows it.
    const taken = steps.filter((step) => step.to <= chosen[step.group]);
    for (const step of taken.toSorted((a, b) => b.bytes - a.bytes)) {
      if (step.to !== chosen[step.group] || total('error') + step.gain > most) continue;
      chosen[step.group] = step.to - 1;
    }
    return relaxed;
  }
}

function tieGroups(layers: readonly AllocationLayer[]): Group[] {
  const members = new Map<string, number[]>();
  layers.forEach(({ tie, name }, index) => {
    const key = tie === undefined ? `layer ${name}` : `tie ${tie}`;
    members.set(key, [...(members.get(key) ?? []), index]);
  });
  return [...members.values()].map((indices) => ({
    layers: indices,
    hull: lowerHull(sumOptions(indices.map((index) => layers[index]))),
  }));
}

/** Options that all layers of a tie have, with bytes and errors added up. */
function sumOptions(layers: readonly AllocationLayer[]): StorageOption[] {
  for (const { name, options } of layers) {
    for (const { bytes, error } of options) {
      if (bytes >= 0 && error >= 0 && Number.isFinite(bytes + error)) continue;
      throw new LatheError(
        'usage',
        `sizes and errors must be finite numbers from 0, in ${name}: ${bytes} bytes, error ${error}`,
      );
    }
  }
  const summed = layers[0].options.flatMap(({ name }) => {
    const same = layers.map(({ options }) => options.find((option) => option.name === name));
    if (!same.every((option) => option !== undefined)) return [];
    const sum = (of: 'bytes' | 'error') => same.reduce((total, option) => total + option[of], 0);
    return [{ name, bytes: sum('bytes'), error: sum('error') }];
  });
  if (summed.length > 0) return summed;
  const names = layers.map(({ name }) => name).join(', ');
  throw new LatheError('usage', `no way to store is open to all of: ${names}`);
}

/** The options worth considering: none beaten in both size and error, gains per byte falling. */
function lowerHull(options: readonly StorageOption[]): StorageOption[] {
  const hull: StorageOption[] = [];
  const sorted = options.toSorted((a, b) => a.bytes - b.bytes || a.error - b.error);
  for (const option of sorted) {
    if (hull.length > 0 && option.error >= hull[hull.length - 1].error) continue;
    while (hull.length >= 2) {
      const [first, second] = hull.slice(-2);
      const before = (first.error - second.error) * (option.bytes - second.bytes);
      const after = (second.error - option.error) * (second.bytes - first.bytes);
      if (before > after) break;
      hull.pop();
    }
    hull.push(option);
  }
  return hull;
}
