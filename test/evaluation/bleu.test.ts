import { describe, expect, test } from 'vitest';
import { bleu, bleuSums, tokenize13a } from '../../main/evaluation/bleu.ts';
import { columnSums } from '../../main/evaluation/statistics.ts';

const corpus = (given: readonly string[], references: readonly (readonly string[])[]): number =>
  bleu(
    columnSums(
      given.map((text, at) =>
        bleuSums(
          text,
          references.map((set) => set[at]),
        ),
      ),
    ),
  );

describe('corpus BLEU', () => {
  // The example of sacreBLEU's README and tests.
  const references = [
    ['The dog bit the man.', 'It was not unexpected.', 'The man bit him first.'],
    ['The dog had bit the man.', 'No one was surprised.', 'The man had bitten the dog.'],
  ];

  test("equals sacreBLEU's published value for two references", () => {
    const given = ['The dog bit the man.', "It wasn't surprising.", 'The man had just bitten him.'];
    expect(corpus(given, references)).toBeCloseTo(48.530827, 6);
  });

  test('of empty texts is 0, as published', () => {
    expect(corpus(['', '', ''], references)).toBe(0);
  });

  test('of published statistics equals the published score', () => {
    expect(bleu([9, 7, 5, 3, 10, 8, 6, 4, 11, 11])).toBeCloseTo(83.75922397, 8);
    expect(bleu([0, 0, 0, 0, 4, 4, 2, 1, 0, 1])).toBe(0);
  });

  test('of a text that is its reference is 100', () => {
    expect(corpus(['one two three four five'], [['one two three four five']])).toBeCloseTo(100, 10);
  });

  test('halves the weight of each further precision without a match', () => {
    // Matches 3 of 4, 1 of 3, 0 of 2, 0 of 1: precisions 3/4, 1/3, 1/(2·2), 1/(4·1).
    const expected = 100 * (0.75 * (1 / 3) * 0.25 * 0.25) ** 0.25;
    expect(corpus(['a b x c'], [['a b c y']])).toBeCloseTo(expected, 10);
  });

  test('punishes texts that are shorter than the closest reference', () => {
    // All precisions are 1, 4 words against 6.
    expect(corpus(['a b c d'], [['a b c d e f']])).toBeCloseTo(100 * Math.exp(1 - 6 / 4), 10);
  });

  test('of texts too short for four words is 0: nothing is made up', () => {
    expect(corpus(['a b c'], [['a b c']])).toBe(0);
  });
});

test('13a sets punctuation apart, except within numbers', () => {
  expect(tokenize13a('He said: "3,000.50 (about) &lt;3&gt; wasn\'t 7-8."\n')).toEqual(
    `He said : " 3,000.50 ( about ) < 3 > wasn't 7 - 8 . "`.split(' '),
  );
  expect(tokenize13a('')).toEqual([]);
});
