import { keep, totalWeight, type Candidates } from './candidates.ts';
import { positionCompleting } from './select.ts';

/**
 * Keeps the tokens whose information content −ln pᵢ is nearest the entropy H = −Σ pᵢ ln pᵢ until
 * their probabilities sum to at least p (0 < p < 1); the token that crosses p stays. Reads `weights`.
 * Meister et al., "Locally typical sampling" (2023), §4.
 */
export function typicalP(candidates: Candidates, p: number): void {
  const { size, weights, keys } = candidates;
  const total = totalWeight(candidates);
  let entropy = 0;
  for (let i = 0; i < size; i += 1) {
    const probability = weights[i] / total;
    // A token of probability 0 is infinitely surprising and adds nothing to the entropy.
    keys[i] = probability > 0 ? -Math.log(probability) : Infinity;
    if (probability > 0) entropy += probability * keys[i];
  }
  for (let i = 0; i < size; i += 1) keys[i] = -Math.abs(keys[i] - entropy);
  const last = positionCompleting(candidates, p * total);
  const least = keys[last];
  keep(candidates, (i) => keys[i] > least || (keys[i] === least && i <= last));
}
