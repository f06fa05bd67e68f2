/**
 * Forbids every token that would complete an n-gram which `ids` (the prompt and what was generated)
 * holds already: its logit becomes −∞. n = 1 forbids every token seen. As `no_repeat_ngram_size` of
 * Hugging Face transformers; Paulus et al., "A deep reinforced model for abstractive summarization"
 * (2017), §2.5. O(n · length).
 */
export function noRepeatNgram(logits: Float64Array, ids: readonly number[], n: number): void {
  const prefix = ids.length - (n - 1);
  for (let start = 0; start + n <= ids.length; start += 1) {
    let same = 0;
    while (same < n - 1 && ids[start + same] === ids[prefix + same]) same += 1;
    if (same === n - 1) logits[ids[start + n - 1]] = -Infinity;
  }
}
