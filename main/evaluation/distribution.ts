import { logSumExp } from '../inference/sampling/logSoftmax.ts';
import { expOfNegative } from '../numeric/exp.ts';

/** What the logits of one position say: float64 over float32 logits. */
export interface Distribution {
  readonly logits: Float32Array;
  /** ln Σ exp(logit), so that ln p = logit − logSum. */
  readonly logSum: number;
  /** The most probable token, the lowest id of equals. */
  readonly top: number;
}

export function distributionOf(logits: Float32Array): Distribution {
  return { logits, logSum: logSumExp(logits), top: largest(logits) };
}

/** The token with the largest logit, the lowest id of equals. */
export function largest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  return best;
}

/** ln p of a token. */
export const logProbability = ({ logits, logSum }: Distribution, id: number): number =>
  logits[id] - logSum;

/**
 * Kullback-Leibler divergence Σ p·(ln p − ln q) in nats, p the base; Infinity where q excludes what
 * p allows. Never below 0, though rounding may put the sum there.
 */
export function klDivergence(p: Distribution, q: Distribution): number {
  let sum = 0;
  for (let id = 0; id < p.logits.length; id++) {
    const logP = p.logits[id] - p.logSum;
    if (logP > -Infinity) sum += expOfNegative(logP) * (logP - logProbability(q, id));
  }
  return Math.max(0, sum);
}
