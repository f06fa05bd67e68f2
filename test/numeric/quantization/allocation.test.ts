import { describe, expect, test } from 'vitest';
import {
  type AllocationLayer,
  allocatePrecision,
  type StorageOption,
} from '../../../main/numeric/quantization/allocation.ts';
import { createRandom } from '../../../main/numeric/random.ts';

/** Layers of random size whose error falls with the bits, as weights' does. */
function randomLayers(seed: number, count: number, tied = false): AllocationLayer[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const weights = 1000 + Math.floor(9000 * random.next());
    const sensitivity = 10 ** (3 * random.next());
    return {
      name: `layer ${i}`,
      weights,
      ...(tied && i % 4 < 3 ? { tie: `block ${Math.floor(i / 4)}` } : {}),
      options: [2, 4, 8].map((bits) => ({
        name: `int${bits}`,
        bytes: (weights * bits) / 8,
        error: sensitivity * 4 ** -bits * (0.5 + random.next()),
      })),
    };
  });
}

/** Size and error of every choice of one option per layer or tie. */
class EveryChoice {
  bytes = Float64Array.of(0);
  error = Float64Array.of(0);

  constructor(layers: readonly AllocationLayer[]) {
    const groups = new Map<string, StorageOption[]>();
    for (const { name, tie, options } of layers) {
      const before = groups.get(tie ?? name);
      const summed = options.map((option, i) => ({
        ...option,
        bytes: option.bytes + (before?.[i].bytes ?? 0),
        error: option.error + (before?.[i].error ?? 0),
      }));
      groups.set(tie ?? name, summed);
    }
    for (const options of groups.values()) {
      const { bytes, error } = this;
      this.bytes = new Float64Array(bytes.length * options.length);
      this.error = new Float64Array(bytes.length * options.length);
      for (let i = 0; i < this.bytes.length; i++) {
        const option = options[i % options.length];
        const rest = Math.floor(i / options.length);
        this.bytes[i] = bytes[rest] + option.bytes;
        this.error[i] = error[rest] + option.error;
      }
    }
  }

  leastError(mostBytes: number): number {
    return this.error.reduce(
      (least, error, i) => (this.bytes[i] <= mostBytes ? Math.min(least, error) : least),
      Infinity,
    );
  }

  leastBytes(mostError: number): number {
    return this.bytes.reduce(
      (least, bytes, i) => (this.error[i] <= mostError ? Math.min(least, bytes) : least),
      Infinity,
    );
  }
}

const totalWeights = (layers: readonly AllocationLayer[]) =>
  layers.reduce((sum, { weights }) => sum + weights, 0);

describe.each([1, 2, 3])('against all 531,441 choices of 12 layers (%i)', (seed) => {
  const layers = randomLayers(seed, 12);
  const choices = new EveryChoice(layers);
  const largestGain = Math.max(...layers.map(({ options }) => options[0].error));
  const smallest = choices.leastBytes(Infinity);
  const largest = choices.bytes.reduce((a, b) => Math.max(a, b));

  test.each([0, 0.1, 0.3, 0.5, 0.8, 1])('a size limit %d of the way up', (share) => {
    const most = smallest + share * (largest - smallest);
    const best = choices.leastError(most);
    const found = allocatePrecision(layers, { kind: 'bytes', most });
    expect(found.bytes).toBeLessThanOrEqual(most);
    expect(found.bound).toBeLessThanOrEqual(best + 1e-9);
    // The relaxed optimum differs by the one upgrade that did not fit.
    expect(found.error - best).toBeLessThan(largestGain);
    expect(found.error).toBeLessThanOrEqual(1.25 * best);
  });

  test.each([0.02, 0.2, 0.6])('an error limit of %d of the worst', (share) => {
    const most = share * choices.error.reduce((a, b) => Math.max(a, b));
    const best = choices.leastBytes(most);
    const found = allocatePrecision(layers, { kind: 'error', most });
    expect(found.error).toBeLessThanOrEqual(most);
    expect(found.bound).toBeLessThanOrEqual(best + 1e-6);
    expect(found.bytes).toBeLessThanOrEqual(1.1 * best);
  });

  test('where no upgrade is split, the greedy choice is the best there is', () => {
    let checked = 0;
    for (let share = 0.05; share < 1; share += 0.05) {
      const asked = smallest + share * (largest - smallest);
      const most = allocatePrecision(layers, { kind: 'bytes', most: asked }).bytes;
      const { error, bound } = allocatePrecision(layers, { kind: 'bytes', most });
      if (error - bound > 1e-9) continue;
      checked++;
      expect(error).toBeCloseTo(choices.leastError(most), 9);
    }
    expect(checked).toBeGreaterThan(0);
  });
});

test('bits per weight are kept as a mean over all weights', () => {
  const layers = randomLayers(5, 30);
  const found = allocatePrecision(layers, { kind: 'bits-per-weight', most: 4.5 });
  expect(found.bitsPerWeight).toBeLessThanOrEqual(4.5);
  expect(found.bitsPerWeight).toBeGreaterThan(4.3);
  expect((8 * found.bytes) / totalWeights(layers)).toBe(found.bitsPerWeight);
});

test('tied layers get the same, and the choice is near the best of those that allow it', () => {
  const layers = randomLayers(6, 16, true);
  const choices = new EveryChoice(layers);
  const most = (totalWeights(layers) * 4) / 8;
  const found = allocatePrecision(layers, { kind: 'bytes', most });
  const options = found.choices.map(({ option }) => option);
  for (let i = 0; i < 16; i += 4) {
    expect(new Set(options.slice(i, i + 3)).size).toBe(1);
  }
  expect(found.error).toBeLessThanOrEqual(1.25 * choices.leastError(most));
});

test('a larger limit never means a larger error', () => {
  const layers = randomLayers(7, 40);
  let before = Infinity;
  for (let bits = 2; bits <= 8; bits += 0.25) {
    const { bound, error } = allocatePrecision(layers, { kind: 'bits-per-weight', most: bits });
    expect(bound).toBeLessThanOrEqual(before);
    expect(bound).toBeLessThanOrEqual(error);
    before = bound;
  }
});

test('options that cost more and lose more are never taken', () => {
  const options = [
    { name: 'small', bytes: 10, error: 5 },
    { name: 'bad', bytes: 20, error: 6 },
    { name: 'good', bytes: 30, error: 1 },
  ];
  const layers = [{ name: 'a', weights: 40, options }];
  const choose = (most: number) =>
    allocatePrecision(layers, { kind: 'bytes', most }).choices[0].option;
  expect([choose(10), choose(25), choose(30)]).toEqual(['small', 'small', 'good']);
});

test('limits that cannot be met say what can', () => {
  const layers = randomLayers(8, 3);
  expect(() => allocatePrecision(layers, { kind: 'bits-per-weight', most: 1 })).toThrow(
    /the smallest possible size is \d+.* \(2 bits per weight\), the limit: 1/,
  );
  expect(() => allocatePrecision(layers, { kind: 'error', most: 0 })).toThrow(
    /the smallest possible error is .*, the limit: 0/,
  );
});

const option = (name: string) => [{ name, bytes: 1, error: 1 }];

test('ties without a common option, and errors that are not numbers, are refused', () => {
  const a = { name: 'a', tie: 't', weights: 1, options: option('int4') };
  const b = { name: 'b', tie: 't', weights: 1, options: option('int8') };
  expect(() => allocatePrecision([a, b], { kind: 'bytes', most: 9 })).toThrow(
    'no way to store is open to all of: a, b',
  );
  const broken = { ...a, options: [{ name: 'int4', bytes: 1, error: NaN }] };
  expect(() => allocatePrecision([broken], { kind: 'bytes', most: 9 })).toThrow('in a: 1 bytes');
});
