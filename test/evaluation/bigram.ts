import type { TextModel } from '../../main/evaluation/logitSource.ts';
import type { Tokenizer } from '../../main/tokenizer/tokenizer.ts';

/** Token 0 begins texts, the others are letters from `a` on. */
const letters = 'abcdefgh ';

/**
 * A model whose logits depend on the last token only, given as a table [token][next token], and a
 * tokenizer of single letters: values can be computed by hand.
 */
export function bigram(
  table: readonly (readonly number[])[],
  options: { capacity?: number; onRead?: () => void } = {},
): TextModel {
  const vocabularySize = letters.length + 1;
  let position = 0;
  const { capacity = 64 } = options;
  const tokenizer: Tokenizer = {
    encode: (text, { specials = true } = {}) => [
      ...(specials ? [0] : []),
      ...Array.from(text, (letter) => letters.indexOf(letter) + 1),
    ],
    decode: (ids) => ids.map((id) => letters[id - 1] ?? '').join(''),
    token: (id) => ({ text: letters[id - 1] ?? '', bytes: new Uint8Array(id === 0 ? 0 : 1) }),
    streamDecoder: () => ({ push: (id) => letters[id - 1] ?? '', flush: () => '' }),
    fallback: () => null,
    vocabularySize,
    endOfText: new Set([0]),
    beginOfText: 0,
    chatTemplate: null,
    templateTokens: {},
  };
  return {
    tokenizer,
    decoder: {
      capacity,
      vocabularySize,
      rewind: (to) => {
        position = to;
      },
      logits(ids) {
        options.onRead?.();
        position += ids.length;
        if (position > capacity) throw new Error(`read beyond the context: ${position}`);
        const zeros = Array<number>(vocabularySize).fill(0);
        return Promise.resolve({
          data: Float32Array.from(ids.flatMap((id) => table[id] ?? zeros)),
        });
      },
    },
  };
}
