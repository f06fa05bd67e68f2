import { describe, expect, test } from 'vitest';
import { ownTokens, textUnits } from '../../main/capture/textUnits.ts';
import { openFolder, TINY_STORIES } from '../tokenizer/samples.ts';

const tokensOf = (...texts: string[]) => texts.map((text, id) => ({ id, text, bytes: [] }));
const words = (texts: string[]) =>
  textUnits(tokensOf(...texts), [0, texts.length], 'word').map(({ text }) => text);

describe('words', () => {
  test('take the space before them, and punctuation stands alone', () => {
    expect(words(['On', 'ce', ' up', 'on', ' a', ' time', ',', ' ok', '.'])).toEqual([
      'Once',
      ' upon',
      ' a',
      ' time',
      ',',
      ' ok',
      '.',
    ]);
  });

  test('get a token that spans two of them into the second', () => {
    expect(words(['I', ' am', ' I a', 'm'])).toEqual(['I', ' am', ' I am']);
  });

  test('keep pieces of a character with the one that completes it', () => {
    expect(words(['a', ' ', '', '', 'ü', 'b', ' ', 'c', ''])).toEqual(['a', ' üb', ' c']);
    expect(textUnits(tokensOf('', 'é', ' b'), [0, 3], 'word')).toEqual([
      { start: 0, end: 2, text: 'é' },
      { start: 2, end: 3, text: ' b' },
    ]);
  });

  test('of blanks alone are one unit, and of nothing none', () => {
    expect(words([' ', '\n', ' '])).toEqual([' \n ']);
    expect(words([])).toEqual([]);
  });
});

test('sentences hold what belongs to them', () => {
  const tokens = tokensOf('<s>', 'It', ' is', ' late', '.', ' Go', ' home', '!', ' ');
  expect(textUnits(tokens, [1, 9], 'sentence')).toEqual([
    { start: 1, end: 5, text: 'It is late.' },
    { start: 5, end: 9, text: ' Go home! ' },
  ]);
});

test('tokens are units of one, and all levels cover the same tokens', () => {
  const tokenizer = openFolder(TINY_STORIES);
  const text = 'Once upon a time, there was a “naïve” girl. She said: Hi! 你好 🙂.';
  const ids = tokenizer.encode(text, { specials: false });
  const stream = tokenizer.streamDecoder();
  const tokens = ids.map((id) => ({ id, text: stream.push(id), bytes: [] }));
  for (const level of ['token', 'word', 'sentence'] as const) {
    const units = textUnits(tokens, [0, tokens.length], level);
    expect(units.map((unit) => unit.text).join('')).toBe(tokens.map((one) => one.text).join(''));
    let end = 0;
    for (const unit of units) {
      expect(unit.start).toBe(end);
      end = unit.end;
    }
    expect(end).toBe(tokens.length);
  }
});

test('a text’s own tokens are found among those that were put around it', () => {
  expect(ownTokens([1, 5, 6, 2], [5, 6])).toEqual([1, 3]);
  expect(ownTokens([5, 6], [5, 6])).toEqual([0, 2]);
  expect(ownTokens([1], [])).toEqual([0, 0]);
  expect(ownTokens([1, 5, 9, 6], [5, 6])).toEqual([0, 4]);
});
