import { LatheError } from '../../../preload/contract/errors.ts';
import { expOfNegative } from '../../numeric/exp.ts';

/**
 * ln Σ exp(lᵢ), so that ln pᵢ = lᵢ − logSumExp(l); summed in float64 around the maximum.
 * Throws runtime_failed when a logit is NaN or +∞, or all are −∞: then there is no distribution.
 */
export function logSumExp(logits: Float32Array): number {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i += 1) if (logits[i] > largest) largest = logits[i];
  let sum = 0;
  for (let i = 0; i < logits.length; i += 1) sum += expOfNegative(logits[i] - largest);
  const result = largest + Math.log(sum);
  if (Number.isFinite(result)) return result;
  const bad = logits.findIndex((logit) => Number.isNaN(logit) || logit === Infinity);
  throw new LatheError(
    'runtime_failed',
    bad < 0
      ? `the model gave no token a probability: ${logits.length} logits, all -Infinity`
      : `the model gave a logit that is not a finite number: ${logits[bad]} for token ${bad}`,
    { value: String(logits[Math.max(bad, 0)]) },
  );
}
