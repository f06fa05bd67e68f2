import type { Token } from '../../../../preload/contract/models.ts';
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts';

/** Tokens of a text as they are shown: each with the text that it adds. */
export function tokensOf(tokenizer: Tokenizer, ids: readonly number[]): Token[] {
  const stream = tokenizer.streamDecoder();
  return ids.map((id) => ({ id, text: stream.push(id), bytes: [...tokenizer.token(id).bytes] }));
}
