import { LatheError } from '../../../preload/contract/errors.ts';

/** lᵢ ← lᵢ + bᵢ for the tokens named, as `logit_bias` of OpenAI's API. */
export function logitBias(
  logits: Float64Array,
  biases: readonly (readonly [number, number])[],
): void {
  for (const [id, bias] of biases) {
    if (id >= logits.length) {
      throw new LatheError(
        'usage',
        `logit bias names a token outside the vocabulary of ${logits.length}: ${id}`,
        { value: String(id) },
      );
    }
    logits[id] += bias;
  }
}
