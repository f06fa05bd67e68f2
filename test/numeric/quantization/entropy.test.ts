import { describe, expect, test } from 'vitest';
import { entropyOf, quantizeEntropy } from '../../../main/numeric/quantization/entropy.ts';
import { createRandom } from '../../../main/numeric/random.ts';
import golden from '../../golden/entropy.json';

function laplace(seed: number, count: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => {
    const u = random.next() - 0.5;
    return -0.05 * Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
  });
}

function roundedTo(step: number, values: Float64Array): { entropy: number; distortion: number } {
  const counts = new Map<number, number>();
  let distortion = 0;
  for (const value of values) {
    const code = Math.round(value / step);
    counts.set(code, (counts.get(code) ?? 0) + 1);
    distortion += (value - code * step) ** 2 / values.length;
  }
  return { entropy: entropyOf([...counts.values()]), distortion };
}

test.each(golden.curve)('the golden vectors at λ = $lam', ({ lam, entropy, distortion, used }) => {
  const values = Float64Array.from(golden.values);
  const result = quantizeEntropy(values, { lambda: lam, step: golden.step });
  expect(result.entropy / entropy).toBeCloseTo(1, 6);
  expect(result.distortion / distortion).toBeCloseTo(1, 6);
  expect(result.counts.filter((count) => count > 0).length).toBe(used);
});

test('every code stands for its nearest level once bits count for nothing', () => {
  const values = laplace(1, 3000);
  const { codes, levels, distortion } = quantizeEntropy(values, {
    lambda: 0,
    step: 0.02,
    reach: 10,
    iterations: 500,
  });
  let least = 0;
  for (const value of values) {
    least += Math.min(...levels.map((level) => (value - level) ** 2)) / values.length;
  }
  expect(distortion / least).toBeCloseTo(1, 3);
  expect(Math.max(...codes)).toBeLessThanOrEqual(20);
});

describe('on a Laplace source', () => {
  const values = laplace(7, 20_000);
  const curve = [0, 1e-5, 5e-5, 1e-4, 3e-4, 1e-3, 1e-2].map((lambda) =>
    quantizeEntropy(values, { lambda, step: 0.0125 }),
  );

  test('entropy never rises and distortion never falls with λ', () => {
    for (let i = 1; i < curve.length; i++) {
      expect(curve[i].entropy).toBeLessThanOrEqual(curve[i - 1].entropy + 1e-9);
      expect(curve[i].distortion).toBeGreaterThanOrEqual(curve[i - 1].distortion - 1e-12);
    }
    expect(curve[3].entropy).toBeCloseTo(3.29, 1);
    expect(curve.at(-1)!.entropy).toBeLessThan(0.5);
  });

  test('at equal entropy the distortion is below that of plain rounding', () => {
    for (const { entropy, distortion } of curve.slice(2, 5)) {
      let [fine, coarse] = [0.001, 1];
      for (let i = 0; i < 50; i++) {
        const middle = (fine + coarse) / 2;
        if (roundedTo(middle, values).entropy > entropy) fine = middle;
        else coarse = middle;
      }
      expect(distortion).toBeLessThanOrEqual(roundedTo(coarse, values).distortion * 1.0001);
    }
  });

  test('the entropy told is that of the codes given', () => {
    for (const { codes, counts, entropy } of curve) {
      const again = new Uint32Array(counts.length);
      for (const code of codes) again[code]++;
      expect(again).toEqual(counts);
      expect(entropyOf(again)).toBe(entropy);
    }
  });
});

test.each([
  ['zeros', [0, 0, 0]],
  ['one value', [0.3]],
  ['a constant', [5, 5, 5]],
  ['an outlier of 1e4', [0.01, -0.02, 1e4]],
  ['nothing', []],
])('weights that are %s end in finite numbers', (_, values) => {
  const result = quantizeEntropy(Float64Array.from(values), { lambda: 1e-4, step: 0.01 });
  expect(Number.isFinite(result.distortion) && Number.isFinite(result.entropy)).toBe(true);
  expect(result.codes.length).toBe(values.length);
});

test('options and weights that cannot be used are refused', () => {
  const values = Float64Array.of(1, NaN);
  expect(() => quantizeEntropy(values, { lambda: 0, step: 1 })).toThrow(
    expect.objectContaining({ code: 'values_not_finite' }),
  );
  const one = Float64Array.of(1);
  expect(() => quantizeEntropy(one, { lambda: -1, step: 1 })).toThrow(': -1');
  expect(() => quantizeEntropy(one, { lambda: 0, step: 0 })).toThrow(': 0');
  expect(() => quantizeEntropy(one, { lambda: 0, step: 1, reach: 128 })).toThrow(': 128');
});
