import { expect, test } from 'vitest';
import { readDecoder } from '../../main/passes/decoder.ts';
import { targetedLinears } from '../../main/passes/targets.ts';
import { matchTargets } from '../../preload/contract/targets.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const names = [0, 1, 10].flatMap((index) =>
  ['attn.qkv', 'attn.o', 'mlp.gate_up', 'mlp.down'].map((name) => `blocks.${index}.${name}`),
);
names.push('lm_head');

test.each<[string[], (name: string) => boolean]>([
  [['blocks.*.mlp.*'], (name) => name.includes('mlp')],
  [['**'], () => true],
  [['*'], (name) => name === 'lm_head'],
  [['blocks.1.**'], (name) => name.startsWith('blocks.1.')],
  [['blocks.1*.attn.o'], (name) => /1.*\.attn\.o/.test(name)],
  [['!lm_head'], (name) => name !== 'lm_head'],
  [
    ['blocks.**', '!blocks.0.**', '!**.o'],
    (name) => /^blocks\.[1-9]/.test(name) && !name.endsWith('.o'),
  ],
  [['!**.o', 'blocks.0.**'], (name) => name.startsWith('blocks.0.') && !name.endsWith('.o')],
])('%s chooses by whole names, in the order of the model', (patterns, expected) => {
  expect(matchTargets(names, patterns)).toEqual(names.filter(expected));
});

test.each(['blocks.2.**', 'mlp', 'blocks.*', '!blocks.?.attn.o', 'lm.head', '[a-z]+'])(
  '%s matches nothing, and is refused by name with those there are',
  (pattern) => {
    expect(() => matchTargets(names, ['**', pattern])).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringMatching(/blocks\.\*\.attn\.qkv.*lm_head/),
        data: { value: pattern },
      }),
    );
  },
);

test('layers of a decoder are chosen with their weights', () => {
  const decoder = readDecoder(tinyDecoder().model);
  const linears = targetedLinears(decoder, ['blocks.*.attn.o']);
  expect(linears.map(({ name, weight }) => [name, weight.dims])).toEqual([
    ['blocks.0.attn.o', [64, 64]],
    ['blocks.1.attn.o', [64, 64]],
  ]);
});
