import { largestLogit, type Candidates } from './candidates.ts';

/**
 * lᵢ ← (lᵢ − max l) / T, T > 0: below 1 sharpens the distribution, above 1 flattens it. Taking the
 * maximum off first changes no probability and keeps the quotient finite for the smallest T.
 * Ackley, Hinton and Sejnowski, "A learning algorithm for Boltzmann machines" (1985).
 */
export function scaleByTemperature(candidates: Candidates, temperature: number): void {
  const { size, logits } = candidates;
  const largest = largestLogit(candidates);
  for (let i = 0; i < size; i += 1) logits[i] = (logits[i] - largest) / temperature;
}

/** Temperature 0: the one most probable token, the lowest id among equals. */
export function keepMostProbable(candidates: Candidates): void {
  const { size, ids, logits } = candidates;
  let best = 0;
  for (let i = 1; i < size; i += 1) if (logits[i] > logits[best]) best = i;
  ids[0] = ids[best];
  logits[0] = logits[best];
  candidates.size = 1;
}
