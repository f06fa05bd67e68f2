import { describe, expect, test } from 'vitest';
import {
  createCandidates,
  fill,
  totalWeight,
  weigh,
  type Candidates,
} from '../../../main/inference/sampling/candidates.ts';
import { logitBias } from '../../../main/inference/sampling/logitBias.ts';
import { minP } from '../../../main/inference/sampling/minP.ts';
import { noRepeatNgram } from '../../../main/inference/sampling/noRepeatNgram.ts';
import {
  presenceAndFrequencyPenalty,
  repetitionPenalty,
} from '../../../main/inference/sampling/penalties.ts';
import {
  keepMostProbable,
  scaleByTemperature,
} from '../../../main/inference/sampling/temperature.ts';
import { topK } from '../../../main/inference/sampling/topK.ts';
import { topP } from '../../../main/inference/sampling/topP.ts';
import { typicalP } from '../../../main/inference/sampling/typicalP.ts';

/** Candidates whose probabilities are as given (they need not sum to 1). */
function withProbabilities(...probabilities: number[]): Candidates {
  return withLogits(...probabilities.map((p) => Math.log(p)));
}

function withLogits(...logits: number[]): Candidates {
  const candidates = createCandidates(logits.length);
  fill(candidates, logits);
  weigh(candidates);
  return candidates;
}

function idsOf(candidates: Candidates): number[] {
  return [...candidates.ids.subarray(0, candidates.size)];
}

function probabilitiesOf(candidates: Candidates): number[] {
  weigh(candidates);
  const total = totalWeight(candidates);
  return Array.from(candidates.weights.subarray(0, candidates.size), (weight) => weight / total);
}

/** Largest difference of two lists. */
function distance(actual: ArrayLike<number>, expected: number[]): number {
  if (actual.length !== expected.length) return Infinity;
  return Math.max(...expected.map((value, i) => Math.abs(actual[i] - value)));
}

describe('logit bias', () => {
  test('adds to the logits named and to no other', () => {
    const logits = Float64Array.of(1, 2, 3, 4);
    logitBias(logits, [
      [1, 5],
      [3, -100],
    ]);
    expect([...logits]).toEqual([1, 7, 3, -96]);
  });

  test('refuses a token outside the vocabulary, with its id', () => {
    expect(() => logitBias(Float64Array.of(1, 2), [[2, 1]])).toThrow(
      'logit bias names a token outside the vocabulary of 2: 2',
    );
  });
});

describe('repetition penalty', () => {
  test('divides positive logits, multiplies negative ones, leaves unseen ones', () => {
    const logits = Float64Array.of(3, -3, 3, 0, -Infinity);
    repetitionPenalty(logits, [0, 1, 3, 4], 1.5);
    expect([...logits]).toEqual([2, -4.5, 3, 0, -Infinity]);
  });
});

describe('presence and frequency penalty', () => {
  test('subtracts presence once and frequency per occurrence', () => {
    const logits = Float64Array.of(1, 1, 1, 1);
    const counts = new Map([
      [1, 1],
      [3, 4],
    ]);
    presenceAndFrequencyPenalty(logits, counts, 0.5, 0.25);
    expect([...logits]).toEqual([1, 0.25, 1, -0.5]);
  });
});

function forbiddenAfter(ids: number[], n: number): number[] {
  const logits = new Float64Array(8);
  noRepeatNgram(logits, ids, n);
  return [...logits.entries()].filter(([, logit]) => logit === -Infinity).map(([id]) => id);
}

describe('no-repeat n-gram', () => {
  test('forbids what followed the same n − 1 tokens before', () => {
    expect(forbiddenAfter([1, 2, 3, 1, 2, 4, 1, 2], 3)).toEqual([3, 4]);
    expect(forbiddenAfter([5, 5, 5], 2)).toEqual([5]);
    expect(forbiddenAfter([1, 2, 3, 4], 2)).toEqual([]);
  });

  test('n = 1 forbids every token seen', () => {
    expect(forbiddenAfter([6, 2, 6], 1)).toEqual([2, 6]);
  });

  test('forbids nothing while the text is shorter than n', () => {
    expect(forbiddenAfter([], 1)).toEqual([]);
    expect(forbiddenAfter([1, 1], 3)).toEqual([]);
  });
});

describe('temperature', () => {
  test('raises probabilities to the power 1/T and renormalizes', () => {
    const candidates = withProbabilities(0.5, 0.25, 0.25);
    scaleByTemperature(candidates, 0.5);
    expect(distance(probabilitiesOf(candidates), [4 / 6, 1 / 6, 1 / 6])).toBeLessThan(1e-12);
  });

  test('above 1 flattens', () => {
    const candidates = withProbabilities(16 / 25, 9 / 25);
    scaleByTemperature(candidates, 2);
    expect(distance(probabilitiesOf(candidates), [4 / 7, 3 / 7])).toBeLessThan(1e-12);
  });

  test('stays a distribution at the smallest temperature there is', () => {
    const candidates = withLogits(10, 30, 20);
    scaleByTemperature(candidates, Number.MIN_VALUE);
    expect(probabilitiesOf(candidates)).toEqual([0, 1, 0]);
  });

  test('0 takes the largest logit, the lowest id among equals', () => {
    const candidates = withLogits(1, 4, 2, 4);
    keepMostProbable(candidates);
    expect(idsOf(candidates)).toEqual([1]);
  });
});

describe('top-k', () => {
  test('keeps the k largest in order of id, the lower id among equals', () => {
    const candidates = withLogits(2, 5, 2, 7, 2, 1);
    topK(candidates, 4);
    expect(idsOf(candidates)).toEqual([0, 1, 2, 3]);
    expect(distance(candidates.logits.subarray(0, 4), [2, 5, 2, 7])).toBeLessThan(1e-12);
  });

  test('k of the vocabulary or more keeps all', () => {
    const candidates = withLogits(2, 5, 2);
    topK(candidates, 3);
    topK(candidates, 100);
    expect(idsOf(candidates)).toEqual([0, 1, 2]);
  });
});

describe('top-p', () => {
  test.each([
    [0.3, [1]],
    [0.5, [1, 3]],
    [0.8, [1, 3, 4]],
    [0.9, [0, 1, 3, 4]],
    [0.99, [0, 1, 2, 3, 4]],
  ])('%f keeps the most probable tokens up to and with the one that crosses it', (p, kept) => {
    const candidates = withProbabilities(0.1, 0.4, 0.05, 0.3, 0.15);
    topP(candidates, p);
    expect(idsOf(candidates)).toEqual(kept);
  });

  test('of equally probable tokens the lower ids stay', () => {
    const candidates = withLogits(0, 0, 0, 0, 0, 0, 0, 0);
    topP(candidates, 0.3);
    expect(idsOf(candidates)).toEqual([0, 1, 2]);
  });
});

describe('typical-p', () => {
  test.each([
    [0.2, [1]],
    [0.3, [0, 1]],
    [0.8, [0, 1, 2]],
    [0.9, [0, 1, 2, 3]],
  ])('%f keeps the tokens nearest the entropy until they sum to it', (p, kept) => {
    // Information in bits: 1, 2, 3, 3; entropy 1.75. Distances: 0.75, 0.25, 1.25, 1.25.
    const candidates = withProbabilities(0.5, 0.25, 0.125, 0.125);
    typicalP(candidates, p);
    expect(idsOf(candidates)).toEqual(kept);
  });

  test('may drop the most probable token', () => {
    // Entropy 2.00 bits; the five tokens of 2.74 bits are nearer to it than the one of 0.42.
    const candidates = withProbabilities(0.25, 0.15, 0.15, 0.15, 0.15, 0.15);
    typicalP(candidates, 0.5);
    expect(idsOf(candidates)).toEqual([1, 2, 3, 4]);
  });

  test('keeps no token of probability 0 while others are left', () => {
    const candidates = withLogits(0, -Infinity, 0);
    typicalP(candidates, 0.99);
    expect(idsOf(candidates)).toEqual([0, 2]);
  });
});

describe('min-p', () => {
  test.each([
    [0.1, [0, 1, 2, 3]],
    [0.2, [1, 2, 3]],
    [0.5, [1, 3]],
    [1, [1]],
  ])('%f keeps tokens at least that fraction as probable as the best', (fraction, kept) => {
    const candidates = withLogits(0, Math.log(8), Math.log(2), Math.log(4.1));
    minP(candidates, fraction);
    expect(idsOf(candidates)).toEqual(kept);
  });
});
