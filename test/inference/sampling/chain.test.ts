import { describe, expect, test } from 'vitest';
import { createCandidates, totalWeight } from '../../../main/inference/sampling/candidates.ts';
import { applyRules } from '../../../main/inference/sampling/chain.ts';
import { createRandom, type Random } from '../../../main/numeric/random.ts';
import { samplingSchema, type Sampling } from '../../../preload/contract/generation.ts';
import { referenceProbabilities } from './reference.ts';

function probabilities(
  logits: number[],
  rules: Partial<Sampling>,
  promptIds: number[] = [],
  generatedIds: number[] = [],
): number[] {
  const candidates = createCandidates(logits.length);
  const sampling = samplingSchema.parse(rules);
  applyRules(candidates, Float32Array.from(logits), sampling, { promptIds, generatedIds });
  const all = logits.map(() => 0);
  if (candidates.size === 1) candidates.weights[0] = 1;
  const total = totalWeight(candidates);
  for (let i = 0; i < candidates.size; i += 1) {
    all[candidates.ids[i]] = candidates.weights[i] / total;
  }
  return all;
}

function distance(actual: number[], expected: number[]): number {
  return Math.max(...expected.map((p, id) => Math.abs(actual[id] - p)));
}

describe('the order of the rules', () => {
  test('bias comes before the repetition penalty', () => {
    // (−1 + 4) / 2; the other way round it would be −1 · 2 + 4.
    expect(
      distance(
        probabilities([-1, 0], { logitBias: { 0: 4 }, repetitionPenalty: 2 }, [0]),
        softmax([1.5, 0]),
      ),
    ).toBeLessThan(1e-12);
  });

  test('the repetition penalty comes before presence and frequency', () => {
    const rules = { repetitionPenalty: 2, presencePenalty: 1, frequencyPenalty: 0.5 };
    expect(
      distance(probabilities([4, 0], rules, [], [0, 0]), softmax([4 / 2 - 1 - 2 * 0.5, 0])),
    ).toBeLessThan(1e-12);
  });

  test('the repetition penalty looks at the prompt, presence and frequency do not', () => {
    const rules = { repetitionPenalty: 2, presencePenalty: 1, frequencyPenalty: 0.5 };
    expect(distance(probabilities([4, 0], rules, [0, 0]), softmax([2, 0]))).toBeLessThan(1e-12);
  });

  test('no-repeat n-gram cannot be undone by a bias', () => {
    expect(
      probabilities([1, 0, 0], { noRepeatNgram: 2, logitBias: { 2: 100 } }, [1, 2, 1])[2],
    ).toBe(0);
  });

  test('penalties apply before temperature 0 decides', () => {
    expect(probabilities([3, 2], { temperature: 0, repetitionPenalty: 2 }, [0])).toEqual([0, 1]);
  });

  test('temperature comes before top-p: a flatter distribution keeps more', () => {
    const logits = [0.5, 0.3, 0.15, 0.05].map((p) => Math.log(p));
    expect(probabilities(logits, { topP: 0.75 }).filter((p) => p > 0)).toHaveLength(2);
    expect(probabilities(logits, { topP: 0.75, temperature: 3 }).filter((p) => p > 0)).toHaveLength(
      3,
    );
  });

  test('top-k comes before top-p: the probabilities are renormalized in between', () => {
    const logits = [0.4, 0.2, 0.2, 0.2].map((p) => Math.log(p));
    // Of the two that top-k leaves, the first has 2/3; of all four it has 0.4.
    expect(distance(probabilities(logits, { topK: 2, topP: 0.6 }), [1, 0, 0, 0])).toBeLessThan(
      1e-12,
    );
  });

  test('typical-p comes before top-p', () => {
    const logits = [0.25, 0.15, 0.15, 0.15, 0.15, 0.15].map((p) => Math.log(p));
    // Typical-p drops the most probable token; top-p first would have kept it and no other.
    expect(
      distance(probabilities(logits, { typicalP: 0.5, topP: 0.25 }), [0, 1, 0, 0, 0, 0]),
    ).toBeLessThan(1e-12);
  });

  test('top-p comes before min-p', () => {
    const logits = [0.4, 0.25, 0.2, 0.15].map((p) => Math.log(p));
    // Min-p first would drop the last token, and renormalized two tokens would reach 0.7.
    expect(probabilities(logits, { topP: 0.7, minP: 0.45 }).filter((p) => p > 0)).toHaveLength(3);
  });
});

describe('invariants', () => {
  const logits = [0.3, -1, 2.5, 2.4, -7];

  test('every rule at its neutral value changes nothing', () => {
    expect(distance(probabilities(logits, {}, [0, 1], [2]), softmax(logits))).toBeLessThan(1e-12);
  });

  test('top-k 1 is the most probable token', () => {
    expect(probabilities(logits, { topK: 1, temperature: 5 })).toEqual([0, 0, 1, 0, 0]);
  });

  test.each([0.3, 1, 9])('top-k keeps the same tokens at temperature %f', (temperature) => {
    const kept = probabilities(logits, { topK: 3, temperature }).map((p) => p > 0);
    expect(kept).toEqual([true, false, true, true, false]);
  });

  test('rules that forbid every token are a usage error', () => {
    expect(() => probabilities([1, 2], { noRepeatNgram: 1 }, [0, 1])).toThrow(
      'the sampling rules forbid every token',
    );
  });
});

test('agrees with a plainly written reference on 600 random distributions and rules', () => {
  const random = createRandom(20);
  for (let round = 0; round < 600; round += 1) {
    const size = 2 + integer(random, 60);
    const spread = random.next() * 8;
    const logits = Array.from({ length: size }, () =>
      // Coarse values, so that equal logits are common.
      Math.fround(Math.round((random.next() - 0.5) * spread * 8) / 8),
    );
    if (round % 7 === 0) logits[integer(random, size)] = -Infinity;
    const ids = (count: number): number[] =>
      Array.from({ length: integer(random, count) }, () => integer(random, size));
    const maybe = <T>(value: T, neutral: T): T => (random.next() < 0.5 ? value : neutral);
    const sampling = samplingSchema.parse({
      temperature: maybe(random.next() * 3, 1),
      topK: maybe(integer(random, size + 3), 0),
      // Odd shares: no sum of coarse probabilities falls on them exactly.
      topP: maybe(0.05 + random.next() * 0.94, 1),
      minP: maybe(random.next() * 0.9, 0),
      typicalP: maybe(0.05 + random.next() * 0.94, 1),
      repetitionPenalty: maybe(0.5 + random.next() * 2, 1),
      presencePenalty: maybe(random.next() * 4 - 2, 0),
      frequencyPenalty: maybe(random.next() * 4 - 2, 0),
      noRepeatNgram: maybe(2 + integer(random, 3), 0),
      logitBias: maybe<Record<string, number>>({ [integer(random, size)]: random.next() * 10 }, {}),
    });
    const promptIds = ids(12);
    const generatedIds = ids(12);
    const expected = referenceProbabilities(logits, sampling, promptIds, generatedIds);
    if (expected.some(Number.isNaN)) continue;
    const actual = probabilities(logits, sampling, promptIds, generatedIds);
    for (const [id, p] of expected.entries()) {
      expect(actual[id], `round ${round}, token ${id}`).toBeCloseTo(p, 9);
    }
  }
});

function softmax(logits: number[]): number[] {
  const weights = logits.map((logit) => Math.exp(Math.fround(logit)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function integer(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}
