import type { Candidates } from './candidates.ts';
import { largestPositions } from './select.ts';

/**
 * Keeps the k tokens with the largest logits, the lower id among equals.
 * Fan, Lewis and Dauphin, "Hierarchical neural story generation" (2018), §5.
 */
export function topK(candidates: Candidates, k: number): void {
  const { size, ids, logits } = candidates;
  if (k >= size) return;
  const best = largestPositions(logits, size, k).toSorted();
  for (let i = 0; i < k; i += 1) {
    ids[i] = ids[best[i]];
    logits[i] = logits[best[i]];
  }
  candidates.size = k;
}
