import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { architectureOf } from '../../../main/architectures/index.ts';
import { openWeights } from '../../../main/formats/weights.ts';
import { encodeModel } from '../../../main/onnx/save.ts';
import { safetensors } from '../../models/safetensors.ts';
import { tinyLlamaTensors, writeTinyLlama, type TinyLlamaOptions } from '../../models/tinyLlama.ts';
import { GraphRun, floatsOf, withOutputs } from '../graphRun.ts';
import { float64Tensors, worstRelative } from '../compare.ts';
import { referenceLlama } from '../referenceLlama.ts';

const root = mkdtempSync(join(tmpdir(), 'lathe-llama-'));
afterAll(() => rmSync(root, { recursive: true }));

let models = 0;
function tiny(options: TinyLlamaOptions) {
  const folder = join(root, String(models++));
  const config = writeTinyLlama(folder, { vocabularySize: 40, seed: models, ...options });
  const weights = openWeights(folder);
  const architecture = architectureOf(config, join(folder, 'config.json'));
  return { config, weights, architecture, tensor: float64Tensors(weights) };
}

const forms = ['fused', 'plain'] as const;
const prompt = [1, 17, 33, 5, 5, 38, 0];
const continuation = [9, 21, 2];

const attention = { MHA: 4, GQA: 2, MQA: 1 };
const ropes = {
  default: {},
  linear: { rope_scaling: { type: 'linear', factor: 4 } },
  llama3: {
    rope_theta: 100,
    rope_scaling: {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    },
  },
};
const dtypes = ['F32', 'F16', 'BF16'] as const;
const combinations = Object.entries(attention).flatMap(([heads, keyValueHeads]) =>
  Object.entries(ropes).flatMap(([rope, fields]) =>
    [true, false].flatMap((tied) =>
      [true, false].flatMap((bias) =>
        // hidden / heads; more than that; a size that the fused form must pad.
        [16, 32, 12].map((headDim) => ({
          heads,
          keyValueHeads,
          rope,
          fields,
          tied,
          bias,
          headDim,
        })),
      ),
    ),
  ),
);
const cases = combinations.map(
  ({ heads, keyValueHeads, rope, fields, tied, bias, headDim }, index) => {
    // Turned by one for each head size, so that every pair of choices occurs.
    const dtype = dtypes[(index + Math.floor(index / 3)) % 3];
    return {
      name: `${heads}, rope ${rope}, ${dtype}, ${tied ? 'tied' : 'untied'}, ${bias ? 'biases' : 'no bias'}, heads of ${headDim}`,
      options: {
        keyValueHeads,
        fields,
        dtype,
        tied,
        attentionBias: bias,
        mlpBias: bias,
        headDim,
      },
    };
  },
);

describe('both forms give the logits of the float64 reference: prefill, chunk, single steps', () => {
  test.each(cases)('$name', async ({ options }) => {
    const { config, weights, architecture, tensor } = tiny(options);
    const expected = referenceLlama(config, tensor, [...prompt, ...continuation]).get('logits')!;
    for (const form of forms) {
      const run = await GraphRun.of(architecture.build(weights, form));
      const found: number[] = [];
      for (const part of [prompt.slice(0, 4), prompt.slice(4), ...continuation.map((id) => [id])]) {
        found.push(...floatsOf((await run.step([part])).logits));
      }
      await run.close();
      expect(worstRelative(found, expected.data)).toBeLessThan(1e-4);
    }
    weights.close();
  });

  test.each(['mistral', 'qwen2'])('relatives: %s', async (type) => {
    const className = `${type[0].toUpperCase()}${type.slice(1)}ForCausalLM`;
    const fields = { model_type: type, architectures: [className], rope_theta: 1e6 };
    const { config, weights, architecture, tensor } = tiny({ keyValueHeads: 2, fields });
    expect(architecture.modelType).toBe(type);
    const expected = referenceLlama(config, tensor, prompt).get('logits')!;
    for (const form of forms) {
      const run = await GraphRun.of(architecture.build(weights, form));
      const { logits } = await run.step([prompt]);
      await run.close();
      expect(worstRelative(floatsOf(logits), expected.data)).toBeLessThan(1e-4);
    }
    weights.close();
  });

  test('one bias kind without the other, heads not given, rope_parameters of newer files', async () => {
    for (const [attentionBias, mlpBias] of [
      [true, false],
      [false, true],
    ]) {
      const rope = { rope_type: 'linear', factor: 2, rope_theta: 500 };
      const fields = { num_key_value_heads: null, rope_parameters: rope, rope_theta: undefined };
      const { config, weights, architecture, tensor } = tiny({ attentionBias, mlpBias, fields });
      const expected = referenceLlama(config, tensor, prompt).get('logits')!;
      for (const form of forms) {
        const run = await GraphRun.of(architecture.build(weights, form));
        const { logits } = await run.step([prompt]);
        await run.close();
        expect(logits.dims).toEqual(expected.shape);
        expect(worstRelative(floatsOf(logits), expected.data)).toBeLessThan(1e-4);
      }
      weights.close();
    }
  });
});

describe('hook points', () => {
  const options = {
    keyValueHeads: 2,
    headDim: 24,
    fields: ropes.llama3,
    attentionBias: true,
    mlpBias: true,
  };

  test.each(forms)(
    'every one of the %s form has the shape and values of the reference',
    async (form) => {
      const { config, weights, architecture, tensor } = tiny(options);
      const names = architecture.hookPoints(form);
      const model = architecture.build(weights, form);
      const run = await GraphRun.of(withOutputs(model, names));
      const found = await run.step([prompt]);
      await run.close();
      const expected = referenceLlama(config, tensor, prompt);
      weights.close();
      const wrong = names.filter((name) => {
        const { shape, data } = expected.get(name)!;
        // What a softmax must not see is the lowest float32 here, minus infinity there.
        const lowest = Math.fround(-3.4028234663852886e38);
        const values = floatsOf(found[name]).map((value) => (value === lowest ? 0 : value));
        const wanted = data.map((value) => (value === -Infinity ? 0 : value));
        const sameShape = shape.join() === found[name].dims.join();
        return !(sameShape && worstRelative(values, wanted) < 1e-4);
      });
      expect(wrong).toEqual([]);
      expect(names.length).toBe(form === 'plain' ? 39 : 21);
    },
  );

  test('every row of a pattern sums to 1 and sees nothing that comes later', async () => {
    const { weights, architecture } = tiny(options);
    const names = ['blocks.0.attn.pattern', 'blocks.1.attn.pattern'];
    const run = await GraphRun.of(withOutputs(architecture.build(weights, 'plain'), names));
    const found = await run.step([prompt]);
    await run.close();
    weights.close();
    for (const name of names) {
      const pattern = floatsOf(found[name]);
      const size = prompt.length;
      for (let row = 0; row < pattern.length / size; row++) {
        const weightsOfRow = pattern.subarray(row * size, (row + 1) * size);
        expect(weightsOfRow.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
        expect([...weightsOfRow.subarray((row % size) + 1)].every((value) => value === 0)).toBe(
          true,
        );
      }
    }
  });
});

describe('what a run takes and gives', () => {
  test.each(forms)('rows of a batch do not touch each other in the %s form', async (form) => {
    const { weights, architecture } = tiny({ keyValueHeads: 2 });
    const model = architecture.build(weights, form);
    const rows = [
      [1, 5, 9, 13],
      [1, 30, 2, 30],
    ];
    const together = await GraphRun.of(model, 2);
    const prefill = floatsOf((await together.step(rows)).logits);
    const step = floatsOf((await together.step([[7], [8]])).logits);
    await together.close();
    for (const [index, row] of rows.entries()) {
      const alone = await GraphRun.of(model);
      const half = (all: Float32Array) =>
        all.subarray(index * (all.length / 2)).subarray(0, all.length / 2);
      const first = floatsOf((await alone.step([row])).logits);
      const second = floatsOf((await alone.step([[7 + index]])).logits);
      await alone.close();
      expect(worstRelative(half(prefill), first)).toBeLessThan(1e-5);
      expect(worstRelative(half(step), second)).toBeLessThan(1e-5);
    }
    weights.close();
  });

  test.each(forms)(
    'logits are given for the wanted positions only, in their order (%s)',
    async (form) => {
      const { weights, architecture } = tiny({});
      const model = architecture.build(weights, form);
      const of = async (wanted?: number[]): Promise<number[]> => {
        const run = await GraphRun.of(model);
        const { logits } = await run.step([prompt], wanted);
        await run.close();
        return [...floatsOf(logits)];
      };
      const all = await of();
      const at = (position: number): number[] => all.slice(position * 40, (position + 1) * 40);
      expect(worstRelative(await of([6]), at(6))).toBeLessThan(1e-5);
      expect(worstRelative(await of([5, 0]), [...at(5), ...at(0)])).toBeLessThan(1e-5);
      weights.close();
    },
  );

  test('the plain form does not look at padding on the left', async () => {
    const { weights, architecture } = tiny({ keyValueHeads: 2 });
    const model = architecture.build(weights, 'plain');
    const bare = await GraphRun.of(model);
    const expected = floatsOf((await bare.step([prompt])).logits);
    await bare.close();
    const padded = await GraphRun.of(model);
    const { logits } = await padded.step(
      [[0, 0, ...prompt]],
      prompt.map((_, i) => i + 2),
      {
        position_ids: [0, 0, ...prompt.map((_, i) => i)],
        attention_mask: [0, 0, ...prompt.map(() => 1)],
      },
    );
    await padded.close();
    weights.close();
    expect(worstRelative(floatsOf(logits), expected)).toBeLessThan(1e-5);
  });
});

describe('the graph', () => {
  test('fused: the guard is the first output; plain: operators of ONNX itself only', () => {
    const { weights, architecture } = tiny({});
    const fused = architecture.build(weights, 'fused');
    const plain = architecture.build(weights, 'plain');
    weights.close();
    const outputs = [
      'logits',
      ...[0, 1].flatMap((i) => [`present.${i}.key`, `present.${i}.value`]),
    ];
    expect(fused.graph.outputs.map(({ name }) => name)).toEqual(['fetch_guard', ...outputs]);
    expect(plain.graph.outputs.map(({ name }) => name)).toEqual(outputs);
    expect([...plain.opsets.keys()]).toEqual(['']);
    expect(new Set(plain.graph.nodes.map(({ domain }) => domain))).toEqual(new Set(['']));
  });

  test.each(forms)('weights stay as they are stored, tied ones once (%s)', (form) => {
    const { weights, architecture } = tiny({ tied: true, dtype: 'BF16', layers: 1 });
    const { initializers } = architecture.build(weights, form).graph;
    const matrices = [...initializers.values()].filter(
      ({ dims, name }) => dims.length === 2 && !name.startsWith('rope'),
    );
    const elements = matrices.reduce((sum, { dims }) => sum + dims[0] * dims[1], 0);
    expect(new Set(matrices.map(({ dataType }) => dataType))).toEqual(new Set(['bfloat16']));
    // All parameters but the three norms of 64.
    expect(elements).toBe(architecture.parameters - 3 * 64);
    weights.close();
  });

  test.each(forms)('is the same to the byte each time (%s)', (form) => {
    const { weights, architecture } = tiny({ attentionBias: true });
    const [first, second] = [1, 2].map(() => encodeModel(architecture.build(weights, form)));
    expect(Buffer.from(first).equals(Buffer.from(second))).toBe(true);
    weights.close();
  });

  test.each(forms)('has the cache that cacheShape says (%s)', async (form) => {
    const { weights, architecture } = tiny({ headDim: 12, keyValueHeads: 2 });
    const run = await GraphRun.of(architecture.build(weights, form));
    const outputs = await run.step([prompt]);
    await run.close();
    weights.close();
    expect(outputs['present.1.value'].dims).toEqual([...architecture.cacheShape(form, 7)]);
  });
});

/** Building with a changed config, in both forms, and the weight file's path. */
function buildChanged(options: TinyLlamaOptions, change: Record<string, unknown>) {
  const { config, weights } = tiny(options);
  const changed = architectureOf({ ...config, ...change }, 'config.json');
  return [forms.map((form) => () => changed.build(weights, form)), weights.path] as const;
}

describe('weights that do not fit the config', () => {
  test.each([
    [{ tie_word_embeddings: false }, 'lm_head.weight', 'tensor is missing: lm_head.weight'],
    [
      { num_hidden_layers: 3 },
      'model.layers.2.self_attn.q_proj.weight',
      'tensor is missing: model.layers.2.self_attn.q_proj.weight and 8 more',
    ],
    [
      { attention_bias: true },
      'model.layers.0.self_attn.q_proj.bias',
      'tensor is missing: model.layers.0.self_attn.q_proj.bias and 7 more',
    ],
  ])('missing: %j', (change, tensor, message) => {
    const [builds, path] = buildChanged({ tied: true }, change);
    for (const build of builds) {
      expect(build).toThrow(
        expect.objectContaining({
          code: 'tensor_missing',
          message: `${message} (${path})`,
          data: { file: path, tensor },
        }),
      );
    }
  });

  test.each([
    [{ vocab_size: 41 }, 'tensor model.embed_tokens.weight must be of shape [41, 64]: [40, 64]'],
    [
      { num_key_value_heads: 2 },
      'tensor model.layers.0.self_attn.k_proj.weight must be of shape [32, 64]: [64, 64]',
    ],
    [
      { intermediate_size: 95 },
      'tensor model.layers.0.mlp.gate_proj.weight must be of shape [95, 64]: [96, 64]',
    ],
  ])('wrong shape: %j', (change, message) => {
    const [builds, path] = buildChanged({ tied: true }, change);
    for (const build of builds) {
      expect(build).toThrow(
        expect.objectContaining({ code: 'tensor_mismatch', message: `${message} (${path})` }),
      );
    }
  });

  test('wrong element type', () => {
    const folder = join(root, 'integers');
    const config = writeTinyLlama(folder, { vocabularySize: 40 });
    const tensors = tinyLlamaTensors(config).map((tensor) =>
      tensor.name === 'model.norm.weight' ? { ...tensor, dtype: 'I32' } : tensor,
    );
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, safetensors(tensors));
    const weights = openWeights(folder);
    expect(() => architectureOf(config, 'config.json').build(weights, 'fused')).toThrow(
      `tensor model.norm.weight must be float32, float16, bfloat16: int32 (${path})`,
    );
    weights.close();
  });
});
