import { describe, expect, it } from 'vitest';
import type { HeadStatistics } from '../../../preload/contract/index.ts';
import { findHeads, headBeside, sortHeads, summaryOfHead } from '../../../renderer/state/heads.ts';

const head = (
  layer: number,
  number: number,
  part: Partial<HeadStatistics> = {},
): HeadStatistics => ({
  layer,
  head: number,
  entropy: 2,
  distance: 4,
  previous: 0,
  self: 0,
  sink: 0,
  induction: 0,
  duplicate: 0,
  positional: 0,
  ...part,
});

const all = [
  head(0, 0, { previous: 0.9, entropy: 0.4 }),
  head(0, 1, { sink: 0.7 }),
  head(1, 0, { induction: 0.5 }),
  head(1, 1, { induction: 0.8, sink: 0.6 }),
  head(2, 0, { induction: null }),
];

const found = (text: string): string[] | string => {
  const search = findHeads(all, text);
  if (search.kind === 'unclear') return search.word;
  return search.kind === 'all' ? 'all' : search.heads.map((each) => `${each.layer}.${each.head}`);
};

const inductions = (heads: readonly HeadStatistics[]) => heads.map((each) => each.induction);

describe('finding heads', () => {
  it('takes words for what heads are known to do, the strongest first', () => {
    expect(found('induction')).toEqual(['1.1', '1.0']);
    expect(found('previous-token')).toEqual(['0.0']);
    expect(found('focused')).toEqual(['0.0']);
  });

  it('takes values, and sorts the least first when small ones are asked for', () => {
    expect(found('sink > 0.65')).toEqual(['0.1']);
    expect(found('sink >= 0.6')).toEqual(['0.1', '1.1']);
    expect(found('entropy < 2')).toEqual(['0.0', '0.1', '1.0', '1.1', '2.0']);
    expect(found('entropy<1')).toEqual(['0.0']);
  });

  it('takes places, and holds all conditions together', () => {
    expect(found('layer 1')).toEqual(['1.0', '1.1']);
    expect(found('layers 0-1 head 0')).toEqual(['0.0', '1.0']);
    expect(found('induction and sink, layers 1 to 2')).toEqual(['1.1']);
  });

  it('does not take a head without a value for one with little of it', () => {
    expect(found('induction < 0.5')).toEqual(['0.0', '0.1', '1.0']);
  });

  it('says which word it does not understand', () => {
    expect(found('sink wibble > 2')).toBe('wibble');
    expect(found('sink > many')).toBe('>');
    expect(found('  ')).toBe('all');
  });
});

describe('a table of heads', () => {
  it('sorts either way with what was not measured last, and by place', () => {
    expect(inductions(sortHeads(all, 'induction', true))).toEqual([0, 0, 0.5, 0.8, null]);
    expect(inductions(sortHeads(all, 'induction', false))).toEqual([0.8, 0.5, 0, 0, null]);
    const [last] = sortHeads(all, 'place', false);
    expect(last).toMatchObject({ layer: 2, head: 0 });
  });

  it('is told in words: what stands out, then spread and distance', () => {
    expect(summaryOfHead(head(1, 1, { induction: 0.8, sink: 0.6 }))).toBe(
      'induction 0.80, sink 0.60, entropy 2.00 bits, 4.0 tokens back on average',
    );
  });
});

describe('moving by arrows', () => {
  const heads = [4, 2, 0, 3];
  it('stays within the heads there are, and shortens its step into a layer with fewer', () => {
    expect(headBeside(heads, { layer: 0, head: 3 }, 'ArrowDown')).toEqual({ layer: 1, head: 1 });
    expect(headBeside(heads, { layer: 0, head: 3 }, 'ArrowRight')).toBeNull();
    expect(headBeside(heads, { layer: 1, head: 0 }, 'ArrowDown')).toBeNull();
    expect(headBeside(heads, { layer: 0, head: 0 }, 'ArrowUp')).toBeNull();
    expect(headBeside(heads, { layer: 3, head: 0 }, 'End')).toEqual({ layer: 3, head: 2 });
    expect(headBeside(heads, { layer: 3, head: 0 }, 'a')).toBeNull();
  });
});
