import { LatheError } from '../../preload/contract/errors.ts';

/**
 * Refuses a text with a token that the model does not have: `tokenizer_invalid`, since only a
 * tokenizer of another model writes one.
 */
export function checkTokens(ids: readonly number[], vocabularySize: number): void {
  const unknown = ids.find((id) => id < 0 || id >= vocabularySize);
  if (unknown === undefined) return;
  throw new LatheError(
    'tokenizer_invalid',
    `the tokenizer is not this model's: it gives token ${unknown}, the model's vocabulary has ${vocabularySize}`,
    { value: String(unknown) },
  );
}
