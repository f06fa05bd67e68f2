import type { Sampling } from '../../../preload/contract/generation.ts';
import { createRandom } from '../../numeric/random.ts';
import { createCandidates, totalWeight, type Candidates } from './candidates.ts';
import { applyRules } from './chain.ts';
import { logSumExp } from './logSoftmax.ts';
import { largestPositions } from './select.ts';

/** A token and the natural logarithm of the probability the model gave it, before any rule. */
export interface ScoredToken {
  id: number;
  logprob: number;
}

/** The chosen token, and the most probable ones before any rule: best first, lower id first among equals. */
export interface Choice extends ScoredToken {
  alternatives: ScoredToken[];
}

/** Chooses tokens by the sampling rules; the same seed and calls choose the same tokens. */
export interface Sampler {
  /** `logits` of one position, one per token of the vocabulary; left as they are. */
  next(
    logits: Float32Array,
    promptIds: readonly number[],
    generatedIds: readonly number[],
    alternatives?: number,
  ): Choice;
}

/** A sampler for one text. Throws runtime_failed on logits that are no distribution. */
export function createSampler(sampling: Sampling, seed: number): Sampler {
  const random = createRandom(seed);
  let candidates = createCandidates(0);
  return {
    next(logits, promptIds, generatedIds, alternatives = 0) {
      const normalizer = logSumExp(logits);
      if (candidates.ids.length !== logits.length) candidates = createCandidates(logits.length);
      applyRules(candidates, logits, sampling, { promptIds, generatedIds });
      // Greedy decoding draws nothing, so that its seed has no effect at all.
      const id = candidates.size === 1 ? candidates.ids[0] : draw(candidates, random.next());
      const scored = (token: number): ScoredToken => ({
        id: token,
        logprob: logits[token] - normalizer,
      });
      const best = largestPositions(logits, logits.length, alternatives);
      return { ...scored(id), alternatives: Array.from(best, scored) };
    },
  };
}

/** Inverse transform: the first token at which the running sum of weights exceeds u · total. */
function draw(candidates: Candidates, u: number): number {
  const { size, ids, weights } = candidates;
  const target = u * totalWeight(candidates);
  let sum = 0;
  let last = 0;
  for (let i = 0; i < size; i += 1) {
    if (weights[i] === 0) continue;
    sum += weights[i];
    last = ids[i];
    if (sum > target) break;
  }
  return last;
}
