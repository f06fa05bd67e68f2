import { expOfNegative } from '../../numeric/exp.ts';

/**
 * The distribution that the rules narrow: for i < size, token `ids[i]` has logit `logits[i]` and,
 * once `weigh` ran, probability proportional to `weights[i]`. Ids ascend, so equal probabilities
 * always fall to the lower id. The arrays are as long as the vocabulary and used again every token.
 */
export interface Candidates {
  size: number;
  readonly ids: Int32Array;
  readonly logits: Float64Array;
  readonly weights: Float64Array;
  /** Work space of the rules. */
  readonly keys: Float64Array;
  readonly order: Int32Array;
}

/** Room for a vocabulary of `size` tokens; holds no candidate yet. */
export function createCandidates(size: number): Candidates {
  return {
    size: 0,
    ids: new Int32Array(size),
    logits: new Float64Array(size),
    weights: new Float64Array(size),
    keys: new Float64Array(size),
    order: new Int32Array(size),
  };
}

/** Makes every token a candidate again, with the logits given. */
export function fill(candidates: Candidates, logits: ArrayLike<number>): void {
  const { ids } = candidates;
  candidates.size = logits.length;
  candidates.logits.set(logits);
  for (let id = 0; id < logits.length; id += 1) ids[id] = id;
}

/** Keeps the candidates at the positions that `keeps` names, in their order. */
export function keep(candidates: Candidates, keeps: (position: number) => boolean): void {
  const { ids, logits, weights } = candidates;
  let kept = 0;
  for (let position = 0; position < candidates.size; position += 1) {
    if (!keeps(position)) continue;
    ids[kept] = ids[position];
    logits[kept] = logits[position];
    weights[kept] = weights[position];
    kept += 1;
  }
  candidates.size = kept;
}

/** Largest logit; −∞ when no candidate has one. */
export function largestLogit({ size, logits }: Candidates): number {
  let largest = -Infinity;
  for (let i = 0; i < size; i += 1) if (logits[i] > largest) largest = logits[i];
  return largest;
}

/**
 * Softmax without the division: wᵢ = exp(lᵢ − max l). Stays proportional to the probability
 * whichever candidates are dropped later.
 */
export function weigh(candidates: Candidates): void {
  const { size, logits, weights } = candidates;
  const largest = largestLogit(candidates);
  for (let i = 0; i < size; i += 1) weights[i] = expOfNegative(logits[i] - largest);
}

/** Sum of the weights: what the probabilities are fractions of. */
export function totalWeight({ size, weights }: Candidates): number {
  let total = 0;
  for (let i = 0; i < size; i += 1) total += weights[i];
  return total;
}
