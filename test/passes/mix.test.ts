import { describe, expect, test } from 'vitest';
import type { StepInput } from '../../preload/contract/recipe.ts';
import { checkModel } from '../../main/onnx/check.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { differingUnits, mixed } from '../../main/passes/mix.ts';
import type { PassInput } from '../../main/passes/pass.ts';
import { calibratedContext } from './calibrated.ts';
import { relativeDistance, runDecoder, runStep } from './runDecoder.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const everywhere = { targets: ['**'] };
const blocks = (...names: string[]) =>
  [0, 1].flatMap((block) => names.map((name) => `blocks.${block}.${name}`));
const all = [...blocks('attn.qkv', 'attn.o', 'mlp.gate_up', 'mlp.down'), 'lm_head'];

/** Steps, and the layers that differ behind them. */
const changes: [string, StepInput[], (tied: boolean) => string[]][] = [
  ['4 bits', [{ pass: 'quantize-rtn', ...everywhere }], () => all],
  ['QDQ', [{ pass: 'quantize-rtn', format: 'qdq', ...everywhere }], () => all],
  ['8-bit integers', [{ pass: 'quantize-int8-dynamic', ...everywhere }], () => all],
  [
    'a quantized embedding',
    [{ pass: 'quantize-embedding' }],
    (tied) => (tied ? ['embed', 'lm_head'] : ['embed']),
  ],
  ['16-bit floats', [{ pass: 'convert-float' }], () => ['embed', ...all]],
  [
    'two factors',
    [{ pass: 'low-rank', whiten: false, keep: 0.7 }],
    () => all.filter((name) => name !== 'lm_head'),
  ],
  [
    'zeros in one layer',
    [{ pass: 'prune-magnitude', targets: ['blocks.1.mlp.down'] }],
    () => ['blocks.1.mlp.down'],
  ],
];

async function after(input: PassInput, steps: readonly StepInput[]): Promise<PassInput> {
  let current = input;
  for (const step of steps) current = await runStep(current, step, calibratedContext());
  return current;
}

describe.each([{ tied: true, attentionBias: true, mlpBias: true }, { tied: false }])(
  'layers of a base put back into a variant (%o)',
  (options) => {
    const base = tinyDecoder(options);

    test.each(changes)('of %s: all of them give the base again', async (_, steps, expected) => {
      const variant = await after(base, steps);
      const [from, to] = [readDecoder(base.model), readDecoder(variant.model)];
      const units = await differingUnits(from, to);
      const names = units.flatMap(({ layers }) => layers);
      expect(names).toEqual(expected(options.tied));
      const whole = mixed(from, to, units);
      checkModel(whole, 'the mixed model');
      const [original, again] = [await runDecoder(base.model), await runDecoder(whole)];
      expect(again).toEqual(original);
    });

    test('one of them changes what a model with that layer alone would change', async () => {
      const name = 'blocks.1.mlp.gate_up';
      const rtn = { pass: 'quantize-rtn', accuracy: 'exact' } as const;
      const variant = await after(base, [{ ...rtn, targets: ['**'] }]);
      const but = await after(base, [{ ...rtn, targets: ['**', `!${name}`] }]);
      const [from, to] = [readDecoder(base.model), readDecoder(variant.model)];
      const unit = (await differingUnits(from, to)).filter(({ layers }) => layers.includes(name));
      expect(await runDecoder(mixed(from, to, unit))).toEqual(await runDecoder(but.model));
    });

    test('none leaves the variant as it is', async () => {
      const variant = await after(base, [{ pass: 'quantize-rtn' }]);
      const [from, to] = [readDecoder(base.model), readDecoder(variant.model)];
      expect(await runDecoder(mixed(from, to, []))).toEqual(await runDecoder(variant.model));
    });
  },
);

describe.each<[string, StepInput[]]>([
  ['smooth-quant', [{ pass: 'smooth-quant' }, { pass: 'quantize-rtn', targets: ['**'] }]],
  ['quantize-awq', [{ pass: 'quantize-awq', targets: ['**'] }]],
])('scales that %s moved into norms', (_, steps) => {
  test('bind the halves of a block, and all of them give the base again', async () => {
    const base = tinyDecoder({ tied: false });
    const variant = await after(base, steps);
    const [from, to] = [readDecoder(base.model), readDecoder(variant.model)];
    const units = await differingUnits(from, to);
    expect(units.map(({ layers }) => layers)).toEqual([
      ['blocks.0.attn.qkv', 'blocks.0.attn.o'],
      ['blocks.0.mlp.gate_up', 'blocks.0.mlp.down'],
      ['blocks.1.attn.qkv', 'blocks.1.attn.o'],
      ['blocks.1.mlp.gate_up', 'blocks.1.mlp.down'],
      ['lm_head'],
    ]);
    // Not every norm need have got a scale.
    expect(units.flatMap(({ norms }) => norms).length).toBeGreaterThan(0);
    expect(await runDecoder(mixed(from, to, units))).toEqual(await runDecoder(base.model));
  });

  test('leave the other halves as they were: each half alone changes little', async () => {
    const base = tinyDecoder({ tied: false });
    const variant = await after(base, steps);
    const [from, to] = [readDecoder(base.model), readDecoder(variant.model)];
    const { logits } = await runDecoder(base.model);
    for (const unit of await differingUnits(from, to)) {
      const half = await runDecoder(mixed(from, to, [unit]));
      expect(relativeDistance(logits, half.logits)).toBeLessThan(0.5);
    }
  });
});

test('models of other sizes cannot be mixed: the first layer that differs is named', async () => {
  const base = tinyDecoder();
  const pruned = await after(base, [{ pass: 'prune-neurons', ratio: 0.5, criterion: 'magnitude' }]);
  const [from, to] = [readDecoder(base.model), readDecoder(pruned.model)];
  await expect(differingUnits(from, to)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('blocks.0.mlp.gate_up is 192 × 64 in the base and 96 × 64'),
  });
  const fewer = readDecoder(tinyDecoder({ layers: 1 }).model);
  await expect(differingUnits(from, fewer)).rejects.toMatchObject({
    message: expect.stringContaining('the number of blocks is 2 in the base and 1'),
  });
});

test('equal models have no units', async () => {
  const one = readDecoder(tinyDecoder().model);
  expect(await differingUnits(one, readDecoder(tinyDecoder().model))).toEqual([]);
});
