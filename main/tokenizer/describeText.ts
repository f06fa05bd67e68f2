import type { Token } from '../../preload/contract/models.ts';
import type { Fallback } from './fallback.ts';
import type { Tokenizer } from './tokenizer.ts';

/** How a tokenizer cuts a text, in figures. */
export interface TextFacts {
  readonly tokens: (Token & { fallback: Fallback | null })[];
  /** Of the text in UTF-8. */
  readonly bytes: number;
  readonly words: number;
  readonly tokensPerWord: number | null;
  readonly tokensPerByte: number | null;
  /** Different tokens in the text, and those that occur once. */
  readonly used: number;
  readonly once: number;
  readonly unused: number;
}

/**
 * Cuts a text into its own tokens, nothing added around it. Words are those that Unicode's rules
 * find (UAX 29); they are counted by the default rules, whatever the language.
 */
export function describeText(tokenizer: Tokenizer, text: string): TextFacts {
  const ids = tokenizer.encode(text, { specials: false });
  const stream = tokenizer.streamDecoder();
  const known = new Map<number, { bytes: number[]; fallback: Fallback | null }>();
  const counts = new Map<number, number>();
  const tokens = ids.map((id) => {
    counts.set(id, (counts.get(id) ?? 0) + 1);
    let facts = known.get(id);
    if (facts === undefined) {
      facts = { bytes: [...tokenizer.token(id).bytes], fallback: tokenizer.fallback(id) };
      known.set(id, facts);
    }
    return { id, text: stream.push(id), ...facts };
  });
  const bytes = new TextEncoder().encode(text).length;
  const words = countWords(text);
  return {
    tokens,
    bytes,
    words,
    tokensPerWord: words === 0 ? null : ids.length / words,
    tokensPerByte: bytes === 0 ? null : ids.length / bytes,
    used: counts.size,
    once: [...counts.values()].filter((count) => count === 1).length,
    unused: tokenizer.vocabularySize - counts.size,
  };
}

function countWords(text: string): number {
  let words = 0;
  for (const { isWordLike } of new Intl.Segmenter('und', { granularity: 'word' }).segment(text)) {
    if (isWordLike === true) words++;
  }
  return words;
}
