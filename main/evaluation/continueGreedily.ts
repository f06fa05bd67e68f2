import { LatheError } from '../../preload/contract/errors.ts';
import { splitIds, tooLong } from './continuation.ts';
import type { ContinuationItem } from './dataset.ts';
import { largest } from './distribution.ts';
import { readRows, type TextModel } from './logitSource.ts';

/**
 * The greedy continuation of a prompt, as many tokens long as the expected one, or up to the end of
 * the text; equals are decided for the lowest id. Spaces around it are left off.
 */
export async function continueGreedily(
  model: TextModel,
  { prompt, continuation }: ContinuationItem,
  { long, signal }: { long: 'slide' | 'refuse'; signal?: AbortSignal | undefined },
): Promise<string> {
  const { decoder, tokenizer } = model;
  const { ids, first } = splitIds(model, prompt.trimEnd(), ` ${continuation.trim()}`);
  const tooMany = Math.max(0, ids.length - 1 - decoder.capacity);
  if (tooMany > 0 && (long === 'refuse' || tooMany >= first)) {
    throw tooLong(ids.length, decoder.capacity);
  }
  const before = ids.slice(tooMany, first);
  const added: number[] = [];
  let next = 0;
  const choose = (_: number, [logits]: readonly Float32Array[]): void => {
    next = largest(logits);
  };
  await readRows([decoder], before, choose, signal);
  while (!tokenizer.endOfText.has(next)) {
    added.push(next);
    if (added.length === ids.length - first) break;
    if (signal?.aborted) throw new LatheError('cancelled', 'the measurement was cancelled');
    next = largest((await decoder.logits([next])).data);
  }
  const stream = tokenizer.streamDecoder(before);
  return (added.map((id) => stream.push(id)).join('') + stream.flush()).trim();
}
