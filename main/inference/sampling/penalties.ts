/**
 * Repetition penalty θ for each token in `seen` (every id once): lᵢ ← lᵢ / θ if lᵢ > 0, else lᵢ · θ.
 * Keskar et al., "CTRL: A conditional transformer language model" (2019), §4.1, with the sign rule
 * of Hugging Face transformers, without which θ would make negative logits more probable.
 */
export function repetitionPenalty(
  logits: Float64Array,
  seen: readonly number[],
  penalty: number,
): void {
  for (const id of seen) {
    logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
  }
}

/**
 * Presence penalty α and frequency penalty β for the tokens generated so far:
 * lᵢ ← lᵢ − α · [cᵢ > 0] − β · cᵢ, where cᵢ counts how often token i was generated.
 * The formula of OpenAI's API reference ("frequency and presence penalties").
 */
export function presenceAndFrequencyPenalty(
  logits: Float64Array,
  counts: ReadonlyMap<number, number>,
  presence: number,
  frequency: number,
): void {
  for (const [id, count] of counts) logits[id] -= presence + frequency * count;
}
