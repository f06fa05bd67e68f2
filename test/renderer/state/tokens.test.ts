import { describe, expect, it } from 'vitest';
import { allTokens, appendTokens, textOf, tokenAt } from '../../../renderer/state/tokens.ts';
import { fakeTokens } from '../fakeEngine.ts';

const tokens = fakeTokens('word '.repeat(100));

describe('token blocks', () => {
  it('keep every token in order whatever the size of the steps', () => {
    for (const step of [1, 7, 64, 65, 200]) {
      let blocks = appendTokens([], []);
      for (let at = 0; at < tokens.length; at += step) {
        blocks = appendTokens(blocks, tokens.slice(at, at + step));
      }
      expect(allTokens(blocks)).toEqual(tokens);
      expect(blocks.map(({ start }) => start)).toEqual([0, 64, 128, 192].slice(0, blocks.length));
      expect(tokenAt(blocks, 130)).toBe(tokens[130]);
    }
  });

  it('leave full blocks untouched, so that views can skip them', () => {
    const before = appendTokens([], tokens.slice(0, 100));
    const after = appendTokens(before, tokens.slice(100));
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  });

  it('end at a line break', () => {
    const blocks = appendTokens([], fakeTokens('One two\nthree\n\nfour'));
    expect(blocks.map((block) => textOf([block]))).toEqual(['One two\n', 'three\n\n', 'four']);
  });

  it('have no token behind their end', () => {
    expect(tokenAt(appendTokens([], tokens), 10_000)).toBeUndefined();
    expect(tokenAt([], 0)).toBeUndefined();
  });
});
