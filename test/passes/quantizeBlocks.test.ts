import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeModel } from '../../main/onnx/save.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { edited, weightBytes } from '../../main/passes/edit.ts';
import { floatTensor, isFloatLinear, linearEdit } from '../../main/passes/linear.ts';
import type { PassInput } from '../../main/passes/pass.ts';
import { stepSchema, type StepInput } from '../../preload/contract/recipe.ts';
import type { TinyLlamaOptions } from '../models/tinyLlama.ts';
import { calibratedContext } from './calibrated.ts';
import { passFor, relativeDistance, runDecoder, runStep } from './runDecoder.ts';
import { storedWeight } from './storedWeights.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const decoders: Record<string, TinyLlamaOptions> = {
  'tied, one kind of heads': { tied: true },
  'untied, grouped heads, biases': { keyValueHeads: 2, attentionBias: true, mlpBias: true },
  'padded heads of 8': { hiddenSize: 32, intermediateSize: 44, headDim: 8, keyValueHeads: 2 },
  '16-bit weights, tied, biases': { dtype: 'F16', tied: true, attentionBias: true },
};

const targets = ['blocks.**', 'lm_head'];
const common = { accuracy: 'exact', groupSize: 16, targets } as const;
const steps: Record<string, StepInput> = {
  'rounding, symmetric': { pass: 'quantize-rtn', ...common },
  'rounding to 2 bits': { pass: 'quantize-rtn', ...common, bits: 2, symmetric: false },
  'rounding to 8 bits in QDQ': { pass: 'quantize-rtn', ...common, bits: 8, format: 'qdq' },
  'rounding in QDQ': { pass: 'quantize-rtn', ...common, symmetric: false, format: 'qdq' },
  'groups longer than rows': { pass: 'quantize-rtn', ...common, groupSize: 256 },
  'k-quant search': { pass: 'quantize-kquant', ...common },
  'k-quant search with importance': { pass: 'quantize-kquant', ...common, importance: true },
  GPTQ: { pass: 'quantize-gptq', ...common },
  'GPTQ on original inputs': { pass: 'quantize-gptq', ...common, trueSequential: false },
  'GPTQ with searched scales': { pass: 'quantize-gptq', ...common, scaleSearch: true },
  HQQ: { pass: 'quantize-hqq', ...common },
  'HQQ in 2 bits': { pass: 'quantize-hqq', ...common, bits: 2 },
};

/** The decoder with the floats that the stored codes stand for. */
function dequantized(input: PassInput, result: PassInput): PassInput['model'] {
  let model = input.model;
  for (const { name, output } of readDecoder(input.model).linears) {
    const linear = readDecoder(model).linears.find((one) => one.name === name);
    if (linear === undefined || !isFloatLinear(linear)) continue;
    const tensor = { ...linear.weight, dataType: 'float32', name: `${name}.float` } as const;
    const values = floatTensor(tensor, storedWeight(result.model, output), linear.weight.dims);
    const product = linear.nodes.find(({ opType }) => opType === 'FusedMatMul');
    const nodes = linear.nodes
      .filter(({ opType }) => opType !== 'Cast')
      .map((node) =>
        node === product ? { ...node, inputs: [node.inputs[0], values.name] } : node,
      );
    model = edited(model, linearEdit(linear, { nodes, initializers: [values] }));
  }
  return model;
}

describe.each(Object.entries(decoders))('a decoder with %s', (_, options) => {
  test.each(Object.entries(steps))(
    'gives after %s what its weights, dequantized, give, and generates',
    async (_name, step) => {
      const input = tinyDecoder(options);
      const result = await runStep(input, step, calibratedContext());
      const found = await runDecoder(result.model);
      const expected = await runDecoder(dequantized(input, result));
      expect(relativeDistance(expected.logits, found.logits)).toBeLessThan(2e-5);
      expect(found.story).toEqual(expected.story);
    },
  );

  test('keeps close to itself after AWQ in 8 bits, and generates', async () => {
    const input = tinyDecoder(options);
    const step = { pass: 'quantize-awq', ...common, bits: 8, steps: 5 } as const;
    const result = await runStep(input, step, calibratedContext());
    const found = await runDecoder(result.model);
    const expected = await runDecoder(input.model);
    expect(relativeDistance(expected.logits, found.logits)).toBeLessThan(0.05);
    expect(found.story).toHaveLength(6);
  });
});

describe('every pass that stores layers in blocks', () => {
  const all: StepInput[] = [...Object.values(steps), { pass: 'quantize-awq', ...common, steps: 3 }];

  test.each(all.map((step) => [JSON.stringify(step), step] as const))(
    'writes the same bytes twice, as many as it predicts: %s',
    async (_, options) => {
      const input = tinyDecoder({ keyValueHeads: 2, attentionBias: true });
      const step = stepSchema.parse(options);
      const results = [1, 2].map(() => runStep(input, options, calibratedContext()));
      const [first, second] = await Promise.all(results);
      expect(digest(first)).toBe(digest(second));
      const predicted = passFor(step).estimate(input, step, 1024).bytes;
      // Zero points that all lie in the middle are left out, which shapes cannot tell.
      const bytes = weightBytes(first.model);
      expect(predicted).toBeGreaterThanOrEqual(bytes);
      expect(predicted).toBeLessThan(1.1 * bytes);
    },
  );

  test.each(all.map((step) => [step.pass, step] as const))(
    'reports every layer once, in the order they run (%s)',
    async (_, step) => {
      const input = tinyDecoder();
      const told: string[] = [];
      const result = await runStep(
        input,
        step,
        calibratedContext({ layer: ({ layer }) => told.push(layer) }),
      );
      const names = readDecoder(input.model).linears.map(({ name }) => name);
      expect(result.layers.map(({ layer }) => layer)).toEqual(names);
      expect(told).toEqual(names);
      for (const { errorAfter, bits } of result.layers) {
        expect(errorAfter).toBeGreaterThan(0);
        expect(errorAfter).toBeLessThan(1);
        expect(bits).toBeGreaterThan(2);
      }
    },
  );

  test.each(all.map((step) => [step.pass, step] as const))(
    'gives finite logits for weights of zeros, constants and one outlier (%s)',
    async (_, step) => {
      const input = tinyDecoder();
      const [first, second, third] = readDecoder(input.model).linears.filter(isFloatLinear);
      const filled = (linear: typeof first, value: number, outlier = value) => {
        const values = new Float32Array(linear.rows * linear.columns).fill(value);
        values[7] = outlier;
        return floatTensor(linear.weight, values, linear.weight.dims);
      };
      const model = edited(input.model, {
        initializers: [filled(first, 0), filled(second, 0.01), filled(third, 0.01, 1e4)],
      });
      const result = await runStep({ ...input, model }, step, calibratedContext());
      const { logits } = await runDecoder(result.model);
      expect(logits.every(Number.isFinite)).toBe(true);
    },
  );

  test.each(all.map((step) => [step.pass, step] as const))(
    'stops when it is cancelled (%s)',
    async (_, step) => {
      const controller = new AbortController();
      controller.abort();
      const { signal } = controller;
      await expect(
        runStep(tinyDecoder(), step, calibratedContext({ signal })),
      ).rejects.toMatchObject({ code: 'cancelled' });
    },
  );
});

test('layers that targets leave out stay as they are, and layers in codes are not chosen again', async () => {
  const input = tinyDecoder({ tied: true });
  const context = calibratedContext();
  const first = await runStep(
    input,
    { pass: 'quantize-rtn', targets: ['blocks.0.mlp.*'] },
    context,
  );
  expect(chosen(first)).toEqual(['blocks.0.mlp.gate_up', 'blocks.0.mlp.down']);
  const second = await runStep(first, { pass: 'quantize-gptq' }, context);
  expect(second.layers.map(({ layer }) => layer)).toEqual([
    'blocks.0.attn.qkv',
    'blocks.0.attn.o',
    'blocks.1.attn.qkv',
    'blocks.1.attn.o',
    'blocks.1.mlp.gate_up',
    'blocks.1.mlp.down',
  ]);
});

/** The layers that are not in float any more. */
const chosen = ({ model }: PassInput) =>
  readDecoder(model).linears.flatMap(({ name, weight }) => (weight === null ? [name] : []));

const digest = ({ model }: PassInput): string =>
  createHash('sha256').update(encodeModel(model)).digest('hex');
