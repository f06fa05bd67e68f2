import { expect, test } from 'vitest';
import { suggestion } from '../../main/library/nearest.ts';

const known = ['tiny-stories', 'tiny-stories/int4-rtn', 'stories260K', '--temperature', '--top-k'];

test.each([
  ['tiny-storys', 'tiny-stories'],
  ['tiny-sotries', 'tiny-stories'],
  ['int4-rtn', 'tiny-stories/int4-rtn'],
  ['stories260k', 'stories260K'],
  ['--temprature', '--temperature'],
  ['--topk', '--top-k'],
])('%s may have been meant as %s', (typed, meant) => {
  expect(suggestion(typed, known)).toBe(`; did you mean ${meant}?`);
});

test.each(['', 'x', 'gpt2', 'stories', '--seed'])('%j is near to nothing', (typed) => {
  expect(suggestion(typed, known)).toBe('');
});
