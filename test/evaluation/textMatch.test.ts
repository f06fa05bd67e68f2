import { expect, test } from 'vitest';
import { exactMatch, wordF1 } from '../../main/evaluation/textMatch.ts';

test('exact match looks past case, punctuation and articles', () => {
  expect(exactMatch('The  Cat!', 'a cat')).toBe(1);
  expect(exactMatch('cats', 'cat')).toBe(0);
});

test('F1 is the harmonic mean of precision and recall over words, each counted once', () => {
  // 2 of 3 words right, 2 of 4 found.
  expect(wordF1('red dog dog', 'red dog ran home')).toBeCloseTo((2 * 2) / (3 + 4), 12);
  expect(wordF1('blue', 'red')).toBe(0);
  expect(wordF1('the', 'a')).toBe(1);
  expect(wordF1('', 'red')).toBe(0);
});
