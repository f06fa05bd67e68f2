import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { architectureOf } from '../../main/architectures/index.ts';
import type { ExportFile } from '../../main/export/fileSet.ts';
import { safetensorsFiles } from '../../main/export/safetensors.ts';
import { openSafetensors } from '../../main/formats/safetensors.ts';
import { writeSafetensors } from '../../main/formats/writeSafetensors.ts';
import { toFloat16Bits } from '../../main/numeric/float16.ts';
import { toFloat32 } from '../../main/numeric/floats.ts';
import { tensorOf } from '../../main/onnx/tensor.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { edited } from '../../main/passes/edit.ts';
import { neuronsPass } from '../../main/passes/pruneNeurons.ts';
import { worstRelative } from '../architectures/compare.ts';
import { logitsOf, runPass, stepOf } from '../passes/pruning.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-export-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const inputOf = (input: Pick<ReturnType<typeof tinyDecoder>, 'model' | 'config'>) => ({
  model: input.model,
  config: input.config,
  generation: null,
  tokenizer: null,
  chatTemplate: null,
  passes: [],
});

/** Writes the weights of an export and gives them as read again, with the config.json beside. */
async function written(files: readonly ExportFile[]) {
  const weights = files.find((file) => file.kind === 'tensors');
  const config = files.find((file) => file.path === 'config.json');
  if (weights?.kind !== 'tensors' || config?.kind !== 'json') throw new Error('files are missing');
  const path = join(folder, weights.path);
  await writeSafetensors(path, weights.tensors, () => {});
  weights.check();
  return { tensors: openSafetensors(path), config: config.content };
}

describe.each([
  { tied: true, attentionBias: true, mlpBias: true },
  { heads: 8, keyValueHeads: 2, headDim: 8 },
  { heads: 4, keyValueHeads: 4, headDim: 20, attentionBias: true },
  { dtype: 'F16' as const },
  { dtype: 'BF16' as const, tied: true },
])('weights in float16 (%o)', (options) => {
  const input = tinyDecoder(options);

  test('are those the model was built from, rounded, under the same names', async () => {
    const { tensors, config } = await written(safetensorsFiles(inputOf(input)));
    expect([...tensors.names].toSorted()).toEqual([...input.tensors.names].toSorted());
    for (const name of tensors.names) {
      const [found, source] = [tensors.get(name)!, input.tensors.get(name)!];
      const values = toFloat32(source.dataType as 'float32', source.read());
      expect({ name, shape: found.shape }).toEqual({ name, shape: source.shape });
      expect(found.dataType).toBe('float16');
      const bits = new Uint16Array(found.read().buffer);
      expect({ name, bits }).toEqual({ name, bits: Uint16Array.from(values, toFloat16Bits) });
    }
    expect(config).toMatchObject({
      model_type: 'llama',
      torch_dtype: 'float16',
      tie_word_embeddings: options.tied ?? false,
      attention_bias: options.attentionBias ?? false,
    });
    tensors.close();
  });

  test('make a model of the same logits, as far as float16 goes', async () => {
    const { tensors, config } = await written(safetensorsFiles(inputOf(input)));
    const again = architectureOf(config, 'config.json').build(tensors, 'fused');
    const difference = worstRelative(await logitsOf(again), await logitsOf(input.model));
    expect(difference).toBeLessThan(options.dtype === 'F16' ? 1e-6 : 5e-3);
    tensors.close();
  });
});

test('Qwen2 becomes a Llama of the same logits: its heads’ outputs get biases of zero', async () => {
  const fields = { model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'] };
  const input = tinyDecoder({ keyValueHeads: 2, headDim: 20, dtype: 'F16', fields });
  const { tensors, config } = await written(safetensorsFiles(inputOf(input)));
  expect(config).toMatchObject({ model_type: 'llama', attention_bias: true });
  const bias = tensors.get('model.layers.1.self_attn.o_proj.bias')!;
  expect(new Set(bias.read())).toEqual(new Set([0]));
  const again = architectureOf(config, 'config.json').build(tensors, 'fused');
  expect(worstRelative(await logitsOf(again), await logitsOf(input.model))).toBeLessThan(1e-6);
  tensors.close();
});

test('Mistral becomes a Llama that reads as far as its window', async () => {
  const fields = { model_type: 'mistral', architectures: ['MistralForCausalLM'] };
  const input = tinyDecoder({ contextLength: 128, fields: { ...fields, sliding_window: 48 } });
  const { tensors, config } = await written(safetensorsFiles(inputOf(input)));
  tensors.close();
  expect(config).toMatchObject({ model_type: 'llama', max_position_embeddings: 48 });
  expect(config).not.toHaveProperty('sliding_window');
  expect(architectureOf(config, 'config.json').contextLength).toBe(48);
});

test('weights beyond float16 are counted and refused', async () => {
  const input = tinyDecoder();
  const { weight } = readDecoder(input.model).linears[3];
  const values = new Float32Array(weight!.bytes.read().slice().buffer);
  values.set([65_520, -1e6, 65_519], 7);
  const model = edited(input.model, {
    initializers: [tensorOf(weight!.name, weight!.dims, values)],
  });
  await expect(written(safetensorsFiles(inputOf({ ...input, model })))).rejects.toMatchObject({
    code: 'values_not_finite',
    message: 'values beyond float16 (65,504) in model.layers.0.mlp.down_proj.weight: 2',
  });
});

test('blocks of different sizes are refused, with the pass that cut them', async () => {
  const input = tinyDecoder();
  const step = stepOf({ pass: 'prune-neurons', ratio: 0.5, keepFirst: 1, keepLast: 0 });
  const { model, config } = await runPass(neuronsPass, input, step);
  expect(() =>
    safetensorsFiles({ ...inputOf({ ...input, model }), config, passes: ['prune-neurons'] }),
  ).toThrow(/differ since the pass prune-neurons: block 1 has 48 neurons, block 0 has 96/);
});

test('a model whose scores are scaled otherwise is refused', () => {
  const input = tinyDecoder({ headDim: 16 });
  const config = { ...input.config, head_dim: 8 };
  expect(() => safetensorsFiles({ ...inputOf(input), config })).toThrow(/scores/);
});
