import { scoreContinuation, type ContinuationScore } from './continuation.ts';
import type { ContinuationItem } from './dataset.ts';
import type { TextModel } from './logitSource.ts';

/**
 * What a model says about the word that ends a passage (LAMBADA; Paperno et al. 2016): right where
 * greedy decoding gives all its tokens.
 */
export function readLastWord(
  model: TextModel,
  { prompt, continuation }: ContinuationItem,
  options: Parameters<typeof scoreContinuation>[3],
): Promise<ContinuationScore> {
  return scoreContinuation(model, prompt.trimEnd(), ` ${continuation.trim()}`, options);
}
