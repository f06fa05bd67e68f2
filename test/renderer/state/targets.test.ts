import { describe, expect, it } from 'vitest';
import { chooseTargets, patternsOf, toggleTargets } from '../../../renderer/state/targets.ts';

const kinds = ['attn.qkv', 'attn.o', 'mlp.gate_up', 'mlp.down'];
const names = [
  ...Array.from({ length: 6 }, (_, block) => kinds.map((kind) => `blocks.${block}.${kind}`)).flat(),
  'lm_head',
];
const blocks = names.slice(0, -1);
const chosenBy = (patterns: readonly string[]): string[] => {
  const chosen = chooseTargets(names, patterns);
  if (chosen.kind === 'failed') throw new Error(chosen.failure.message);
  return [...chosen.names];
};

describe('patterns from clicks', () => {
  it.each([
    ['nothing', [], []],
    ['everything', names, ['**']],
    ['the blocks', blocks, ['blocks.**']],
    ['the head', ['lm_head'], ['lm_head']],
    ['a row', names.filter((name) => name.endsWith('mlp.down')), ['blocks.*.mlp.down']],
    ['the rows of a half', names.filter((name) => name.includes('.mlp.')), ['blocks.*.mlp.*']],
    ['a block', names.filter((name) => name.startsWith('blocks.3.')), ['blocks.3.**']],
    ['a half of a block', ['blocks.2.attn.qkv', 'blocks.2.attn.o'], ['blocks.2.attn.*']],
    ['one layer', ['blocks.2.attn.qkv'], ['blocks.2.attn.qkv']],
    [
      'all but one layer',
      blocks.filter((name) => name !== 'blocks.5.mlp.down'),
      ['blocks.**', '!blocks.5.mlp.down'],
    ],
    [
      'all but a block, and the head',
      names.filter((name) => !name.startsWith('blocks.0.')),
      ['**', '!blocks.0.**'],
    ],
  ])('choose %s by few patterns', (_, chosen, patterns) => {
    expect(patternsOf(names, new Set(chosen))).toEqual(patterns);
  });

  it('choose exactly the layers that were clicked, whichever they were', () => {
    for (let seed = 1; seed < 400; seed += 1) {
      const chosen = names.filter(
        (_, index) => Math.sin(seed * 97 + index * 31) > (seed % 5) / 3 - 0.7,
      );
      expect(chosenBy(patternsOf(names, new Set(chosen)))).toEqual(chosen);
    }
  });

  it('a click takes out what was chosen as a whole, and adds otherwise', () => {
    const row = names.filter((name) => name.endsWith('attn.o'));
    const some = toggleTargets(new Set(['blocks.1.attn.o']), row);
    expect([...some].toSorted()).toEqual(row.toSorted());
    expect([...toggleTargets(some, row)]).toEqual([]);
  });

  it('say which pattern matches nothing, and what there is', () => {
    expect(chooseTargets(names, ['blocks.**', 'block.*'])).toMatchObject({
      kind: 'failed',
      failure: {
        code: 'usage',
        message: expect.stringContaining(
          'no layer has such a name: block.*; there are blocks.*.attn.qkv',
        ),
      },
    });
  });
});
