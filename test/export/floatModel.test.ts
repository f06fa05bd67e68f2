import { describe, expect, test } from 'vitest';
import type { StepInput } from '../../preload/contract/recipe.ts';
import { floatModel } from '../../main/export/floatModel.ts';
import { checkModel } from '../../main/onnx/check.ts';
import type { Model } from '../../main/onnx/model.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { passOf } from '../../main/passes/index.ts';
import { isFloatLinear, readFloats, readWeight } from '../../main/passes/linear.ts';
import { worstRelative } from '../architectures/compare.ts';
import { logitsOf, runPass, stepOf } from '../passes/pruning.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';

const everywhere = { targets: ['**'] };
const exact = { ...everywhere, accuracy: 'exact' } as const;

/** Steps after which a layer computes with its stored weights and nothing else. */
const exactSteps: StepInput[] = [
  ...([2, 4, 8] as const).flatMap((bits): StepInput[] => [
    { pass: 'quantize-rtn', bits, groupSize: 32, symmetric: true, ...exact },
    { pass: 'quantize-rtn', bits, groupSize: 64, symmetric: false, ...exact },
  ]),
  { pass: 'quantize-embedding', bits: 4, groupSize: 32, symmetric: true, accuracy: 'exact' },
  { pass: 'quantize-embedding', bits: 8, groupSize: 32, symmetric: false, accuracy: 'exact' },
  { pass: 'quantize-embedding', bits: 4, groupSize: 32, head: false },
  { pass: 'quantize-hqq', bits: 4, groupSize: 32, ...exact },
  { pass: 'convert-float', type: 'float16' },
  { pass: 'convert-float', type: 'bfloat16' },
  { pass: 'low-rank', keep: 0.7, whiten: false, ...everywhere },
];

/** Steps after which it also rounds its input; their reports tell the error of the weights. */
const roundingSteps: StepInput[] = [
  { pass: 'quantize-rtn', bits: 4, groupSize: 32, format: 'qdq', symmetric: true, ...everywhere },
  { pass: 'quantize-rtn', bits: 4, groupSize: 16, format: 'qdq', symmetric: false, ...everywhere },
  { pass: 'quantize-rtn', bits: 8, groupSize: 32, format: 'qdq', ...everywhere },
  { pass: 'quantize-rtn', bits: 4, groupSize: 32, accuracy: 'fast', ...everywhere },
  { pass: 'quantize-int8-dynamic', perChannel: true, ...everywhere },
  { pass: 'quantize-int8-dynamic', perChannel: false, ...everywhere },
  { pass: 'quantize-int8-dynamic', weights: 'int8-reduced', ...everywhere },
  { pass: 'quantize-int8-static', ...everywhere },
];

const nameOf = ({ pass, ...options }: StepInput): string => `${pass} ${JSON.stringify(options)}`;

async function after(input: ReturnType<typeof tinyDecoder>, typed: StepInput) {
  const step = stepOf(typed);
  return runPass(passOf(step)!, input, step);
}

const isAllFloat = (model: Model): boolean => {
  const { linears, embedding } = readDecoder(model);
  return embedding.weight !== null && linears.every(isFloatLinear);
};

describe.each([
  { tied: true, attentionBias: true, mlpBias: true },
  { tied: false, heads: 4, keyValueHeads: 2, headDim: 8 },
])('a decoder whose layers are matrices again (%o)', (options) => {
  const input = tinyDecoder(options);

  test.each(exactSteps.map((step) => [nameOf(step), step] as const))(
    'gives the same logits: %s',
    async (_, step) => {
      const { model } = await after(input, step);
      const floats = floatModel(model);
      checkModel(floats, 'the float model');
      expect(isAllFloat(floats)).toBe(true);
      expect(worstRelative(await logitsOf(floats), await logitsOf(model))).toBeLessThan(1e-4);
    },
  );

  test.each(roundingSteps.map((step) => [nameOf(step), step] as const))(
    'has weights as far from the first ones as was reported: %s',
    async (_, step) => {
      const { model, layers } = await after(input, step);
      const floats = floatModel(model);
      expect(isAllFloat(floats)).toBe(true);
      const before = readDecoder(input.model).linears.filter(isFloatLinear);
      const found = readDecoder(floats).linears.filter(isFloatLinear);
      const reported = layers.filter(({ measure }) => measure === 'weight');
      expect(reported.length).toBeGreaterThanOrEqual(before.length - 1);
      for (const { layer, errorAfter } of reported) {
        const weight = (all: typeof found) => readWeight(all.find(({ name }) => name === layer)!);
        const [a, b] = [weight(before).data, weight(found).data];
        const noise = a.reduce((sum, value, at) => sum + (value - b[at]) ** 2, 0);
        const power = a.reduce((sum, value) => sum + value ** 2, 0);
        expect(Math.sqrt(noise / power) / errorAfter!).toBeCloseTo(1, 4);
      }
    },
  );

  test('keeps one matrix where embedding and output shared their codes', async () => {
    const quantized = await after(input, { pass: 'quantize-embedding', bits: 4, groupSize: 32 });
    expect(readDecoder(floatModel(quantized.model)).embedding.tied).toBe(options.tied);
  });
});

test('a decoder in floats stays as it is', () => {
  const { model } = tinyDecoder();
  const [before, after_] = [model, floatModel(model)].map(({ graph }) => [
    ...graph.initializers.values(),
  ]);
  expect(after_).toEqual(before);
  expect(readFloats(after_[0])).toEqual(readFloats(before[0]));
});
