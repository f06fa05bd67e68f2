import { scoreContinuation } from './continuation.ts';
import type { PairItem } from './dataset.ts';
import type { TextModel } from './logitSource.ts';

/**
 * Whether a model gives the good sentence of a minimal pair the larger Σ ln p, the whole sentence
 * scored (BLiMP's simple method; Warstadt et al. 2020). Equals count as wrong.
 */
export async function prefersGood(
  model: TextModel,
  { good, bad }: PairItem,
  options: Parameters<typeof scoreContinuation>[3],
): Promise<boolean> {
  const better = await scoreContinuation(model, '', good, options);
  const worse = await scoreContinuation(model, '', bad, options);
  return better.logProbability > worse.logProbability;
}
