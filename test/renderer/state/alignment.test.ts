import { describe, expect, it } from 'vitest';
import type { Token } from '../../../preload/contract/index.ts';
import { alignTokens } from '../../../renderer/state/alignment.ts';

const encoder = new TextEncoder();
/** Tokens with these texts; a number is a piece of a character. */
const tokens = (...pieces: readonly (string | number[])[]): Token[] =>
  pieces.map((piece, id) =>
    typeof piece === 'string'
      ? { id, text: piece, bytes: [...encoder.encode(piece)] }
      : { id, text: '', bytes: piece },
  );
const same = true;

describe('two cuts of one text', () => {
  it('are joined where both end a token at the same byte', () => {
    const first = tokens('one', ' two', ' three');
    const second = tokens('one', ' t', 'wo', ' three');
    expect(alignTokens('one two three', first, second)).toEqual([
      { first: [0, 1], second: [0, 1], same },
      { first: [1, 2], second: [1, 3], same: false },
      { first: [2, 3], second: [3, 4], same },
    ]);
  });

  it('meet behind boundaries that cross', () => {
    expect(alignTokens('abcdef', tokens('ab', 'cd', 'ef'), tokens('a', 'bc', 'd', 'ef'))).toEqual([
      { first: [0, 2], second: [0, 3], same: false },
      { first: [2, 3], second: [3, 4], same },
    ]);
  });

  it('leave what a tokenizer adds before the text in front, and its space in the first token', () => {
    const first = tokens('<s>', ' The', ' cat');
    const second = tokens('The', ' cat');
    expect(alignTokens('The cat', first, second)).toEqual([
      { first: [0, 1], second: [0, 0], same: false },
      { first: [1, 2], second: [0, 1], same },
      { first: [2, 3], second: [1, 2], same },
    ]);
  });

  it('hold together a character that one of them cuts into bytes', () => {
    const smile = [...encoder.encode('🙂')];
    const first = tokens('a', ...smile.map((byte) => [byte]), 'b');
    expect(alignTokens('a🙂b', first, tokens('a', '🙂', 'b'))).toEqual([
      { first: [0, 1], second: [0, 1], same },
      { first: [1, 5], second: [1, 2], same: false },
      { first: [5, 6], second: [2, 3], same },
    ]);
  });

  it('keep every token of both, in order, whatever a tokenizer makes of the text', () => {
    const first = tokens('THE', ' CAT', ' SAT', '!!');
    const second = tokens('the c', 'at', ' s');
    const segments = alignTokens('The cat sat', first, second);
    expect(segments.flatMap((each) => first.slice(...each.first))).toEqual(first);
    expect(segments.flatMap((each) => second.slice(...each.second))).toEqual(second);
  });
});
