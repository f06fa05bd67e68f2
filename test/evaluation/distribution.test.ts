import { expect, test } from 'vitest';
import {
  distributionOf,
  klDivergence,
  largest,
  logProbability,
} from '../../main/evaluation/distribution.ts';

const of = (...probabilities: number[]) =>
  distributionOf(Float32Array.from(probabilities, Math.log));

test('log-probabilities are those of the softmax, whatever constant the logits carry', () => {
  const distribution = distributionOf(Float32Array.of(1000, 1000, 1000, 1000));
  expect(logProbability(distribution, 2)).toBeCloseTo(Math.log(0.25), 12);
});

test('KL divergence equals the hand computation, the base being the first', () => {
  // ½ ln(½/¼) + ½ ln(½/¾) and ¼ ln(¼/½) + ¾ ln(¾/½)
  const [p, q] = [of(0.5, 0.5), of(0.25, 0.75)];
  expect(klDivergence(p, q)).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 7);
  expect(klDivergence(q, p)).toBeCloseTo(0.25 * Math.log(0.5) + 0.75 * Math.log(1.5), 7);
});

test('KL divergence is 0 between equals, and infinite where q excludes what p allows', () => {
  const p = of(0.1, 0.2, 0.7);
  expect(klDivergence(p, of(0.1, 0.2, 0.7))).toBe(0);
  expect(klDivergence(p, of(0.5, 0.5, 0))).toBe(Infinity);
  expect(klDivergence(of(0.5, 0.5, 0), p)).toBeCloseTo(0.5 * Math.log(5) + 0.5 * Math.log(2.5), 6);
});

test('of equally probable tokens the lowest id is the top one', () => {
  expect(largest(Float32Array.of(1, 3, 3, 2))).toBe(1);
  expect(largest(Float32Array.of(-5, -5))).toBe(0);
});
