import { describe, expect, test } from 'vitest';
import { checkModel } from '../../main/onnx/check.ts';
import { encodeModel } from '../../main/onnx/save.ts';
import { tensorOf } from '../../main/onnx/tensor.ts';
import type { Model } from '../../main/onnx/model.ts';
import { quantizeRtnPass } from '../../main/passes/quantizeRtn.ts';
import { recipeSchema, stepSchema, type StepInput } from '../../preload/contract/recipe.ts';
import { runRecipe } from '../../main/passes/sequence.ts';
import { floatLinears, readDecoder } from '../../main/passes/decoder.ts';
import { fuse } from '../../main/passes/fuse.ts';
import { rebuild } from '../../main/passes/rebuild.ts';
import { partsOf, unfuse } from '../../main/passes/unfuse.ts';
import { rowsOf } from '../../main/passes/weights.ts';
import { worstRelative } from '../architectures/compare.ts';
import { floatsOf, GraphRun } from '../architectures/graphRun.ts';
import { passContext, sequenceContext } from './passContext.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const prompt = [1, 17, 33, 5, 5, 38, 0];

async function logitsOf(model: Model): Promise<Float32Array> {
  checkModel(model, 'model');
  const run = await GraphRun.of(model);
  const first = floatsOf((await run.step([prompt]))['logits']);
  const second = floatsOf((await run.step([[9]]))['logits']);
  await run.close();
  return Float32Array.from([...first, ...second]);
}

const unfused = async (model: Model): Promise<Model> =>
  (await unfuse.run({ model, config: {} }, { pass: 'unfuse' }, passContext())).model;

describe.each([
  { tied: true, keyValueHeads: 2 },
  { tied: false, attentionBias: true, mlpBias: true, dtype: 'F16' as const },
  { keyValueHeads: 2, fields: { model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'] } },
  { tied: true, dtype: 'BF16' as const },
])('a decoder of %o', (options) => {
  test('becomes, unfused, the plain graph it could have been built as, byte by byte', async () => {
    const model = await unfused(tinyDecoder(options).model);
    expect(encodeModel(model)).toEqual(encodeModel(tinyDecoder(options, 'plain').model));
  });

  test('becomes, unfused and fused, the same graph again, byte by byte', async () => {
    const { model, config } = tinyDecoder(options);
    const input = { model: await unfused(model), config };
    const fused = await fuse.run(input, { pass: 'fuse' }, passContext());
    expect(encodeModel(fused.model)).toEqual(encodeModel(model));
  });
});

test.each([
  { targets: ['**'], format: 'matmulnbits' as const },
  { targets: ['blocks.0.**', 'lm_head'], format: 'qdq' as const },
])('layers in 4 bits stay so, and give the same logits: $targets, $format', async (options) => {
  const { model, config } = tinyDecoder({ keyValueHeads: 2, attentionBias: true });
  const step = stepSchema.parse({ pass: 'quantize-rtn', accuracy: 'exact', ...options });
  if (step.pass !== 'quantize-rtn') throw new Error(step.pass);
  const { model: quantized } = await quantizeRtnPass.run({ model, config }, step, passContext());
  const floats = floatLinears(readDecoder(quantized)).map(({ name }) => name);
  expect(floats).toEqual(
    options.targets.includes('**')
      ? []
      : ['attn.qkv', 'attn.o', 'mlp.gate_up', 'mlp.down'].map((name) => `blocks.1.${name}`),
  );
  const plain = await unfused(quantized);
  const expected = await logitsOf(quantized);
  expect(worstRelative(await logitsOf(plain), expected)).toBeLessThan(1e-4);
  const again = await fuse.run({ model: plain, config }, { pass: 'fuse' }, passContext());
  expect(worstRelative(await logitsOf(again.model), expected)).toBeLessThan(1e-4);
});

test('blocks that differ in size give the same logits in both forms', async () => {
  const { model } = tinyDecoder({ keyValueHeads: 2, intermediateSize: 96 });
  const parts = partsOf(readDecoder(model));
  const [first, second] = parts.config.blocks ?? [];
  const cut = new Map([
    ['model.layers.1.mlp.gate_proj.weight', 48],
    ['model.layers.1.mlp.up_proj.weight', 48],
  ]);
  const weights = parts.weights.map((weight) => {
    const rows = cut.get(weight.name);
    if (rows === undefined && !weight.name.includes('1.mlp.down_proj')) return weight;
    const values = new Float32Array(weight.read().buffer.slice(0));
    const tensor = tensorOf(weight.name, [96, 64], values.subarray(0, 96 * 64));
    return rows === undefined
      ? { ...rowsOf(weight.name, tensor, 0, 48), shape: [64, 48] }
      : rowsOf(weight.name, tensor, 0, rows);
  });
  const config = { ...parts.config, blocks: [first, { ...second, intermediateSize: 48 }] };
  const smaller = rebuild({ ...parts, config, weights }, 'fused');
  expect(readDecoder(smaller).blocks.map(({ neurons }) => neurons)).toEqual([96, 48]);
  const plain = await unfused(smaller);
  expect(worstRelative(await logitsOf(plain), await logitsOf(smaller))).toBeLessThan(1e-4);
});

/** What other passes leave behind, without calibration. */
const changes: StepInput[][] = [
  [{ pass: 'quantize-embedding', accuracy: 'exact' }],
  [{ pass: 'quantize-embedding', bits: 4, head: false, accuracy: 'exact' }],
  [{ pass: 'quantize-int8-dynamic' }],
  [{ pass: 'quantize-hqq', accuracy: 'exact' }],
  [{ pass: 'convert-float', type: 'bfloat16' }],
  [{ pass: 'low-rank', whiten: false, keep: 0.5 }],
  [
    { pass: 'prune-heads', ratio: 0.5, criterion: 'magnitude' },
    { pass: 'prune-neurons', ratio: 0.5, criterion: 'magnitude', spread: 'global' },
    { pass: 'prune-layers', layers: [1] },
    { pass: 'quantize-rtn', accuracy: 'exact' },
  ],
];

test.each(changes.map((steps) => [steps.map(({ pass }) => pass).join(', '), steps] as const))(
  'a decoder gives the same logits unfused behind %s',
  async (_, steps) => {
    const input = tinyDecoder({ layers: 3, keyValueHeads: 2, tied: true });
    const recipe = recipeSchema.parse({ name: 'test', passes: steps });
    const { model } = await runRecipe(input, recipe, sequenceContext());
    const plain = await unfused(model);
    expect(worstRelative(await logitsOf(plain), await logitsOf(model))).toBeLessThan(
      // Rounding activations to 8 bit makes more of the last bit than it is.
      steps[0].pass === 'quantize-int8-dynamic' ? 5e-3 : 1e-4,
    );
  },
);
