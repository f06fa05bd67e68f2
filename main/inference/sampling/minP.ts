import { keep, type Candidates } from './candidates.ts';

/**
 * Keeps the tokens at least `fraction` times as probable as the most probable one. Reads `weights`.
 * Nguyen et al., "Turning up the heat: min-p sampling for creative and coherent LLM outputs" (2024).
 */
export function minP(candidates: Candidates, fraction: number): void {
  const { size, weights } = candidates;
  let largest = 0;
  for (let i = 0; i < size; i += 1) if (weights[i] > largest) largest = weights[i];
  const least = fraction * largest;
  keep(candidates, (i) => weights[i] >= least);
}
