import { LatheError } from '../../preload/contract/errors.ts';
import { distributionOf, logProbability } from './distribution.ts';
import { startedIds } from './documents.ts';
import { readRows, type TextModel } from './logitSource.ts';

interface ScoreOptions {
  /** What becomes of a text longer than the context: the front of the prompt is left off, or none. */
  readonly long: 'slide' | 'refuse';
  readonly signal?: AbortSignal | undefined;
}

/** What a model says about a text behind another. */
export interface ContinuationScore {
  /** Σ ln p over its tokens. */
  readonly logProbability: number;
  readonly tokens: number;
  /** Whether greedy decoding would give just these tokens. */
  readonly isGreedy: boolean;
}

/** Scores `rest` behind `prompt`, an empty prompt included. Spaces between belong to the rest. */
export async function scoreContinuation(
  model: TextModel,
  prompt: string,
  rest: string,
  { long, signal }: ScoreOptions,
): Promise<ContinuationScore> {
  const { ids, first } = splitIds(model, prompt, rest);
  const { capacity } = model.decoder;
  const tooMany = Math.max(0, ids.length - 1 - capacity);
  if (tooMany > 0 && (long === 'refuse' || tooMany >= first)) throw tooLong(ids.length, capacity);
  const read = ids.slice(tooMany);
  let sum = 0;
  let isGreedy = true;
  await readRows(
    [model.decoder],
    read.slice(0, -1),
    (row, [logits]) => {
      if (row + 1 < first - tooMany) return;
      const distribution = distributionOf(logits);
      sum += logProbability(distribution, read[row + 1]);
      isGreedy &&= distribution.top === read[row + 1];
    },
    signal,
  );
  return { logProbability: sum, tokens: ids.length - first, isGreedy };
}

/**
 * The tokens of both texts as one, and where the rest begins: behind the tokens that the prompt
 * alone begins with, at least one.
 */
export function splitIds(
  { tokenizer }: TextModel,
  prompt: string,
  rest: string,
): { ids: number[]; first: number } {
  const context = prompt.trimEnd();
  const ids = startedIds(tokenizer, context + prompt.slice(context.length) + rest);
  const alone = startedIds(tokenizer, context);
  let first = 0;
  while (first < alone.length && alone[first] === ids[first]) first++;
  first = Math.max(1, Math.min(first, ids.length - 1));
  return { ids, first };
}

export function tooLong(tokens: number, capacity: number): LatheError {
  return new LatheError(
    'context_overflow',
    `the text is longer than the context: ${tokens} tokens, the model reads ${capacity}`,
    { value: String(tokens), next: ['shorten-prompt'] },
  );
}
