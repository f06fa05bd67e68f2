import { describe, expect, it, vi } from 'vitest';
import type { Difference, PatternPair } from '../../../preload/contract/index.ts';
import { changedHeads, createDifference, pairOf } from '../../../renderer/state/difference.ts';
import { figuresOf, klShade, largestShift } from '../../../renderer/state/differenceFigures.ts';
import { createFakeEngine } from '../fakeEngine.ts';
import { records } from '../fakeModels.ts';

const base = 'SmolLM2-135M-Instruct';
const variant = 'SmolLM2-135M-Instruct/int4';
const prompt = { kind: 'completion', text: 'Once upon a time' } as const;

const create = (stepMs = 0) => {
  const difference = createDifference(createFakeEngine({ stepMs }).client);
  difference.change({ base, variant });
  return { difference, state: () => difference.store.getState() };
};

describe('the pair that is compared', () => {
  it('is a variant with what it was made from, or a model with its newest variant', () => {
    const older = { ...records[2], name: `${base}/int8`, addedAt: 0 };
    const all = [...records, older];
    expect(pairOf(variant, all)).toEqual({ base, variant });
    expect(pairOf(base, all)).toEqual({ base, variant });
    expect(pairOf('tiny-stories', all)).toEqual({ base: 'tiny-stories', variant: null });
    expect(pairOf('gone', all)).toEqual({ base: null, variant: null });
  });

  it('stays while the model looked into is one of it, and lets go of what is gone', () => {
    const { difference, state } = create();
    difference.change({ base: 'tiny-stories' });
    difference.adopt(variant, records);
    expect(state()).toMatchObject({ base: 'tiny-stories', variant });
    difference.adopt(variant, records.slice(1));
    expect(state()).toMatchObject({ base, variant });
    difference.adopt('tiny-stories', records);
    expect(state()).toMatchObject({ base: 'tiny-stories', variant: null });
  });
});

describe('a comparison', () => {
  it('shows progress, then the result with the most changed head chosen', async () => {
    const { difference, state } = create();
    const kinds: string[] = [];
    difference.store.subscribe(({ comparison }) => kinds.push(comparison.kind));
    await difference.run(prompt);
    expect([...new Set(kinds)]).toEqual(['idle', 'working', 'done']);
    expect(state()).toMatchObject({
      asked: { base, variant, prompt, newTokens: 32 },
      head: { layer: 2, head: 1 },
      comparison: { kind: 'done', result: { base, variant, promptTokens: 4 } },
    });
  });

  it('is forgotten when it is cancelled, and tells nothing afterwards', async () => {
    const { difference, state } = create(20);
    const running = difference.run(prompt);
    await vi.waitFor(() => expect(state().comparison).toMatchObject({ progress: {} }));
    difference.cancel();
    await running;
    expect(state().comparison).toEqual({ kind: 'idle' });
  });

  it('begun anew takes the place of the one before, with its blame and its head', async () => {
    const { difference, state } = create();
    await difference.run(prompt);
    await difference.findBlame();
    difference.change({ position: 3 });
    const again = difference.run({ kind: 'completion', text: 'Other' });
    expect(state()).toMatchObject({
      position: null,
      head: null,
      blame: { kind: 'idle' },
      kept: [],
    });
    await again;
    expect(state().comparison).toMatchObject({ result: { promptTokens: 1 } });
  });

  it.each([
    ['different vocabularies', { base: 'tiny-stories' }, 'One', 'usage'],
    ['a model that is gone', { variant: 'gone' }, 'One', 'file_missing'],
    ['a prompt longer than the context', {}, 'word '.repeat(9000), 'context_overflow'],
  ])('that cannot be made says why: %s', async (_, pair, text, code) => {
    const { difference, state } = create();
    difference.change(pair);
    await difference.run({ kind: 'completion', text });
    expect(state().comparison).toMatchObject({ kind: 'failed', failure: { code } });
  });
});

describe('blame', () => {
  it('lists suspects as they are found, the worst first, and keeps what is sufficient', async () => {
    const { difference, state } = create();
    await difference.run(prompt);
    const seen: number[] = [];
    difference.store.subscribe(({ blame }) => {
      if (blame.kind !== 'searching') return;
      const effects = blame.suspects.map(({ effect }) => effect);
      expect(effects).toEqual(effects.toSorted((a, b) => b - a));
      seen.push(effects.length);
    });
    await difference.findBlame();
    expect(Math.max(...seen)).toBe(8);
    expect(state()).toMatchObject({
      kept: ['blocks.2.mlp.down'],
      blame: { kind: 'done', blame: { sufficient: ['blocks.2.mlp.down'], runs: 13 } },
    });
  });

  it('asks about the text that was compared, whatever has been typed or chosen since', async () => {
    const { difference, state } = create();
    await difference.run(prompt);
    difference.change({ base: 'tiny-stories', newTokens: 3 });
    await difference.findBlame();
    expect(state().blame).toMatchObject({ kind: 'done', blame: { position: 4 + 9 } });
  });

  it('makes of the kept layers a recipe for the base', async () => {
    const { difference } = create();
    await difference.run(prompt);
    await difference.findBlame();
    difference.toggleKept('blocks.1.attn.o');
    await expect(difference.repair()).resolves.toMatchObject({
      model: base,
      recipe: {
        passes: [
          { targets: ['blocks.**', '!blocks.2.mlp.down', '!blocks.1.attn.o'] },
          { bits: 8, targets: ['blocks.2.mlp.down', 'blocks.1.attn.o'] },
        ],
      },
    });
    difference.change({ keep: 'float' });
    const { recipe } = await difference.repair();
    expect(recipe.passes).toHaveLength(1);
  });

  it('that is stopped is forgotten', async () => {
    const { difference, state } = create(20);
    await difference.run(prompt);
    const searching = difference.findBlame();
    await vi.waitFor(() => expect(state().blame.kind).toBe('searching'));
    difference.cancelBlame();
    await searching;
    expect(state().blame).toEqual({ kind: 'idle' });
  });
});

const opinion = (logprob: number | null, id: number) => ({
  logprob,
  top: { id, text: String(id) },
  topLogprob: -0.5,
});
const small = {
  positions: [
    { base: opinion(-1, 1), variant: opinion(-1.5, 1), kl: 0.1 },
    { base: opinion(-2, 2), variant: opinion(-1, 3), kl: 0.3 },
    { base: opinion(null, 4), variant: opinion(null, 4), kl: 0.2 },
  ],
  heads: [2, 1],
  headDivergence: Float32Array.of(0.1, 0.5, 0.3),
} as unknown as Difference;

describe('the figures of a comparison', () => {
  it('belong to the token that was foretold, and count the position behind the last one', () => {
    const figures = figuresOf(small);
    expect(figures).toMatchObject({
      kl: [0, 0.1, 0.3],
      gain: [null, -0.5, 1],
      mostKl: 0.3,
      meanGain: 0.25,
      agreement: 2 / 3,
      positions: 3,
    });
    expect(figures.meanKl).toBeCloseTo(0.2, 12);
  });

  it('order the heads of all layers by how much they changed', () => {
    expect(changedHeads(small).map(({ layer, head }) => [layer, head])).toEqual([
      [0, 1],
      [1, 0],
      [0, 0],
    ]);
    expect(changedHeads({ ...small, heads: null, headDivergence: null })).toEqual([]);
  });

  it('shade KL in equal steps of the logarithm from 0.001 to 3, and none below', () => {
    expect([0, 0.0009, 0.001, 0.0011, 0.05, 3, 50].map(klShade)).toEqual([0, 0, 0, 1, 4, 8, 8]);
  });

  it('find the token whose attention moved most, and between which tokens', () => {
    const pair: PatternPair = {
      tokens: 3,
      base: Float32Array.of(1, 0, 0, 0.5, 0.5, 0, 0.25, 0.5, 0.25),
      variant: Float32Array.of(1, 0, 0, 0.5, 0.5, 0, 0.75, 0.125, 0.125),
    };
    expect(largestShift(pair)).toEqual({
      row: 2,
      gained: { column: 0, by: 0.5 },
      lost: { column: 1, by: -0.375 },
    });
    expect(largestShift({ ...pair, variant: pair.base })).toBeNull();
  });
});
