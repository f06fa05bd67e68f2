import { keep, totalWeight, type Candidates } from './candidates.ts';
import { positionCompleting } from './select.ts';

/**
 * Keeps the smallest set of most probable tokens whose probabilities sum to at least p (0 < p < 1);
 * the token that crosses p stays. Reads `weights`.
 * Holtzman et al., "The curious case of neural text degeneration" (2020), §3.1.
 */
export function topP(candidates: Candidates, p: number): void {
  const { weights, keys } = candidates;
  const total = totalWeight(candidates);
  // All tokens below this together cannot reach 1 − p, so none of them is needed: of a large
  // vocabulary few remain to be ordered.
  const negligible = ((1 - p) * total) / candidates.size;
  keep(candidates, (i) => weights[i] >= negligible);
  for (let i = 0; i < candidates.size; i += 1) keys[i] = weights[i];
  const last = positionCompleting(candidates, p * total);
  const least = keys[last];
  keep(candidates, (i) => keys[i] > least || (keys[i] === least && i <= last));
}
