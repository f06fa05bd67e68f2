import { expect, test } from 'vitest';
import { createStreamDecoder } from '../../main/tokenizer/streamDecoder.ts';

const WORDS = ['one', ' two', '\uFFFD', ' ', ''];

test.each([
  ['words', [0, 1]],
  ['words and incomplete characters', [0, 2, 1, 2]],
  ['nothing but incomplete characters', [2]],
  ['nothing but spaces', [3]],
  ['words and tokens that decode to nothing', [0, 4, 4, 4]],
])('never decodes more than a few tokens at once: %s', (_name, cycle) => {
  let longest = 0;
  const decode = (ids: readonly number[]): string => {
    longest = Math.max(longest, ids.length);
    return ids.map((id) => WORDS[id]).join('');
  };
  const decoder = createStreamDecoder({
    decode,
    hasText: () => true,
    onlyAppends: true,
    before: null,
    anchor: undefined,
  });
  const ids = Array.from({ length: 3000 }, (_, i) => cycle[i % cycle.length]);
  const text = ids.map((id) => decoder.push(id)).join('') + decoder.flush();
  expect(longest).toBeLessThanOrEqual(32);
  expect(text).toBe(decode(ids));
});
