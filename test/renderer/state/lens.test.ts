import { describe, expect, it } from 'vitest';
import {
  cellTops,
  columnOf,
  contributionsOf,
  finalTopOf,
  topOf,
} from '../../../renderer/state/lens.ts';

/** Two rows, three positions, two candidates each. */
const lens = {
  rows: 2,
  positions: 3,
  top: 2,
  ids: Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4),
  probabilities: Float32Array.of(0.5, 0.25, 0.75, 0, 1, 0, 0.5, 0, 0.25, 0, 0.125, 0),
  final: Float32Array.of(0, 0.1, 0.2, 0.3, 0.4, 0.5),
  norms: Float32Array.of(1, 2, 3, 4, 5, 6),
  texts: Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((id) => [id, `t${id}`])),
};

describe('a lens', () => {
  it('gives the most probable token of a cell and of the whole model', () => {
    expect(topOf(lens, 0, 2)).toBe('t5');
    expect(finalTopOf(lens, 0)).toBe('t7');
    expect([...cellTops(lens)]).toEqual([0.5, 0.75, 1, 0.5, 0.25, 0.125]);
  });

  it('gives one position over the layers', () => {
    expect(columnOf(lens, lens.norms, 1)).toEqual([2, 5]);
  });
});

describe('a logit taken apart', () => {
  it('lists attention and MLP of each layer between embedding and biases, and loses nothing', () => {
    const direct = {
      token: { id: 1, text: 'a', logprob: -1 },
      logit: 10,
      embedding: 1,
      layers: [
        { heads: [1, 2], mlp: -3 },
        { heads: [4, 0.5], mlp: 4 },
      ],
      rest: 0.5,
    };
    const parts = contributionsOf(direct);
    expect(parts).toEqual([
      { label: 'embedding', value: 1 },
      { label: '0 attention', value: 3 },
      { label: '0 mlp', value: -3 },
      { label: '1 attention', value: 4.5 },
      { label: '1 mlp', value: 4 },
      { label: 'biases', value: 0.5 },
    ]);
    expect(parts.reduce((sum, { value }) => sum + value, 0)).toBe(direct.logit);
  });
});
