import { describe, expect, test } from 'vitest';
import { describeText } from '../../main/tokenizer/describeText.ts';
import { BYTE_FALLBACK, BYTE_LEVEL, openJson, UNIGRAM, WORD_PIECE } from './samples.ts';
import { byteTokenizer } from '../models/byteTokenizer.ts';

describe('a text of byte tokens', () => {
  const tokenizer = openJson(byteTokenizer.files['tokenizer.json']);

  test('is cut into one token a byte, and nothing is added', () => {
    const facts = describeText(tokenizer, 'a é, a.');
    expect(facts.tokens.map(({ text }) => text)).toEqual(['a', ' ', '', 'é', ',', ' ', 'a', '.']);
    expect(facts).toMatchObject({
      bytes: 8,
      words: 3,
      tokensPerWord: 8 / 3,
      tokensPerByte: 1,
      used: 6,
      once: 4,
      unused: byteTokenizer.vocabularySize - 6,
    });
  });

  test('shows which tokens are pieces of a character', () => {
    const { tokens } = describeText(tokenizer, 'aé');
    expect(tokens.map(({ fallback }) => fallback)).toEqual([null, 'byte', 'byte']);
  });

  test('of no words has no tokens per word, an empty one none per byte', () => {
    expect(describeText(tokenizer, '… ')).toMatchObject({ words: 0, tokensPerWord: null });
    expect(describeText(tokenizer, '')).toMatchObject({ tokens: [], tokensPerByte: null, used: 0 });
  });
});

/** Id of the token that is written as this byte. */
function spelt(byte: number): number | undefined {
  const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
  return new Map(Object.entries(BYTE_FALLBACK.model.vocab)).get(name);
}

test('a token of one ASCII byte is a fallback where it is spelt so, and none where it is a letter', () => {
  const fallback = openJson(BYTE_FALLBACK);
  expect(fallback.fallback(spelt(0x0a)!)).toBe('byte');
  expect(fallback.fallback(spelt(0xe2)!)).toBe('byte');
  const level = openJson(BYTE_LEVEL);
  const [letter] = level.encode('a', { specials: false });
  expect(level.fallback(letter)).toBeNull();
});

test.each([
  ['WordPiece', WORD_PIECE],
  ['Unigram', UNIGRAM],
])('what %s does not know is unknown', (_, json) => {
  const { tokens } = describeText(openJson(json), '\u{12345}');
  expect(tokens.map(({ fallback }) => fallback)).toContain('unknown');
});
