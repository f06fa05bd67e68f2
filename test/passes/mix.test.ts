import { describe, expect, test } from 'vitest';
import type { StepInput } from '../../preload/contract/recipe.ts';
import { checkModel } from '../../main/onnx/check.ts';
import { readDecoder, type Decoder as DecoderGraph } from '../../main/passes/decoder.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { bool, Session } from '../../main/inference/session.ts';
import { encodeModel } from '../../main/onnx/save.ts';
import { differingUnits, type MixUnit } from '../../main/passes/mix.ts';
import { PUT_BACK, switchable } from '../../main/passes/switchable.ts';
import type { PassInput } from '../../main/passes/pass.ts';
import { calibratedContext } from './calibrated.ts';
import { relativeDistance, runDecoder, runStep } from './runDecoder.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const prompt = [1, 5, 9, 2, 30];
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

/** Runs a variant with some of the units that differ put back. */
async function runMixed(
  base: DecoderGraph,
  variant: DecoderGraph,
  chosen: (unit: MixUnit) => boolean,
): ReturnType<typeof runDecoder> {
  const units = await differingUnits(base, variant);
  const model = switchable(base, variant, units);
  checkModel(model, 'the switchable model');
  const putBack = bool(
    Uint8Array.from(units, (unit) => Number(chosen(unit))),
    [units.length],
  );
  return runDecoder(model, undefined, { [PUT_BACK]: putBack });
}

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
      expect(await runMixed(from, to, () => true)).toEqual(await runDecoder(base.model));
    });

    test('one of them changes what a model with that layer alone would change', async () => {
      const name = 'blocks.1.mlp.gate_up';
      const rtn = { pass: 'quantize-rtn', accuracy: 'exact' } as const;
      const variant = await after(base, [{ ...rtn, targets: ['**'] }]);
      const but = await after(base, [{ ...rtn, targets: ['**', `!${name}`] }]);
      const [from, to] = [readDecoder(base.model), readDecoder(variant.model)];
      const alone = await runMixed(from, to, ({ layers }) => layers.includes(name));
      expect(alone).toEqual(await runDecoder(but.model));
    });

    test('may be others in every run of one loaded model', async () => {
      const variant = await after(base, [{ pass: 'quantize-rtn', ...everywhere }]);
      const [from, to] = [readDecoder(base.model), readDecoder(variant.model)];
      const units = await differingUnits(from, to);
      const chosen = new Uint8Array(units.length);
      const constant = { [PUT_BACK]: bool(chosen, [units.length]) };
      const session = await Session.fromBytes(
        encodeModel(switchable(from, to, units)),
        'switchable',
        { threads: 1, device: 'cpu' },
      );
      const decoder = Decoder.over(session, { contextLength: 64, constant });
      const turns = [
        { choice: 1, model: base.model },
        { choice: 0, model: variant.model },
        { choice: 1, model: base.model },
      ];
      for (const { choice, model } of turns) {
        chosen.fill(choice);
        decoder.rewind(0);
        const { data } = await decoder.logits(prompt);
        expect(data).toEqual((await runDecoder(model, prompt)).logits);
      }
      await session.close();
    });

    test.each(changes)('of %s: none leaves the variant as it is', async (_, steps) => {
      const variant = await after(base, steps);
      const [from, to] = [readDecoder(base.model), readDecoder(variant.model)];
      expect(await runMixed(from, to, () => false)).toEqual(await runDecoder(variant.model));
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
    expect(await runMixed(from, to, () => true)).toEqual(await runDecoder(base.model));
  });

  test('leave the other halves as they were: each half alone changes little', async () => {
    const base = tinyDecoder({ tied: false });
    const variant = await after(base, steps);
    const [from, to] = [readDecoder(base.model), readDecoder(variant.model)];
    const { logits } = await runDecoder(base.model);
    for (const unit of await differingUnits(from, to)) {
      const half = await runMixed(from, to, ({ layers }) => layers.join() === unit.layers.join());
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
