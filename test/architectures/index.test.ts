import { describe, expect, test } from 'vitest';
import { architectureOf } from '../../main/architectures/index.ts';
import { tinyLlamaConfig } from '../models/tinyLlama.ts';

const file = '/models/x/config.json';
const supported = `supported: llama (LlamaForCausalLM), mistral (MistralForCausalLM), qwen2 (Qwen2ForCausalLM) (${file})`;

describe('the family', () => {
  test.each([
    { model_type: 'llama', architectures: ['LlamaForCausalLM'] },
    { model_type: 'llama', architectures: undefined },
    { model_type: 'llama', architectures: null },
    { model_type: undefined, architectures: ['LlamaForCausalLM'] },
  ])('is found by %j', (names) => {
    expect(architectureOf({ ...tinyLlamaConfig(), ...names }, file).modelType).toBe('llama');
  });

  test.each([
    [{ model_type: 'mamba', architectures: ['MambaForCausalLM'] }, 'mamba, MambaForCausalLM'],
    [{ model_type: 'gpt2' }, 'gpt2'],
    [{ architectures: ['BertModel'] }, 'BertModel'],
    [{ model_type: 'qwen2', architectures: ['LlamaForCausalLM'] }, 'qwen2, LlamaForCausalLM'],
    [
      { model_type: 'llama', architectures: ['LlamaForSequenceClassification'] },
      'llama, LlamaForSequenceClassification',
    ],
    [{ model_type: 'constructor' }, 'constructor'],
    [{}, 'none'],
  ])('is refused by name and with what is supported: %j', (config, value) => {
    expect(() => architectureOf(config, file)).toThrow(
      expect.objectContaining({
        code: 'architecture_unsupported',
        message: `architecture is not supported: ${value}; ${supported}`,
        data: { file, value, next: ['choose-model'] },
      }),
    );
  });

  test.each([[null], [[]], ['llama'], [7]])('a config.json of %j is not usable', (config) => {
    expect(() => architectureOf(config, file)).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    );
  });
});

test('facts of a model: parameters with tied ones once, context, vocabulary, cache', () => {
  const config = tinyLlamaConfig({
    hiddenSize: 8,
    intermediateSize: 10,
    layers: 3,
    heads: 2,
    keyValueHeads: 1,
    headDim: 6,
    vocabularySize: 20,
    contextLength: 50,
  });
  // Query, output; key, value; gate, up, down; two norms: for each block.
  const block = 2 * 12 * 8 + 2 * 6 * 8 + 3 * 80 + 2 * 8;
  const facts = [{}, { tie_word_embeddings: true }].map((change) => {
    const { parameters, contextLength, vocabularySize, layers, cacheShape } = architectureOf(
      { ...config, ...change },
      file,
    );
    return [
      parameters,
      contextLength,
      vocabularySize,
      layers,
      cacheShape('plain', 9),
      cacheShape('fused', 9),
    ];
  });
  expect(facts).toEqual([
    [3 * block + 8 + 2 * 160, 50, 20, 3, [1, 1, 9, 6], [1, 1, 9, 16]],
    [3 * block + 8 + 160, 50, 20, 3, [1, 1, 9, 6], [1, 1, 9, 16]],
  ]);
});

const read = (type: string, className: string, fields: object) =>
  architectureOf(
    {
      ...tinyLlamaConfig({ contextLength: 32_768 }),
      model_type: type,
      architectures: [className],
      ...fields,
    },
    file,
  );
const biases = (names: readonly { name: string }[]): string[] =>
  names.flatMap(({ name }) => (name.endsWith('.bias') && name.includes('.0.') ? [name] : []));

describe('relatives of Llama', () => {
  test('Qwen2 has biases of queries, keys and values, whatever else its file says', () => {
    const architecture = read('qwen2', 'Qwen2ForCausalLM', { attention_bias: false });
    expect(biases(architecture.requiredTensors())).toEqual([
      'model.layers.0.self_attn.q_proj.bias',
      'model.layers.0.self_attn.k_proj.bias',
      'model.layers.0.self_attn.v_proj.bias',
    ]);
  });

  test('Mistral has none', () => {
    const architecture = read('mistral', 'MistralForCausalLM', {});
    expect(biases(architecture.requiredTensors())).toEqual([]);
  });

  test.each([
    ['mistral', 'MistralForCausalLM', {}, 4096],
    ['mistral', 'MistralForCausalLM', { sliding_window: null }, 32_768],
    ['mistral', 'MistralForCausalLM', { sliding_window: 1000 }, 1000],
    ['qwen2', 'Qwen2ForCausalLM', {}, 32_768],
    ['qwen2', 'Qwen2ForCausalLM', { sliding_window: 1000 }, 32_768],
    ['qwen2', 'Qwen2ForCausalLM', { sliding_window: 1000, use_sliding_window: true }, 1000],
    ['qwen2', 'Qwen2ForCausalLM', { sliding_window: null, use_sliding_window: true }, 32_768],
  ])('texts end where a window would slide: %s %s %j', (type, className, fields, expected) => {
    expect(read(type, className, fields).contextLength).toBe(expected);
  });

  test.each([['0'], [0], [1.5]])('a window of %j is refused', (size) => {
    expect(() => read('mistral', 'MistralForCausalLM', { sliding_window: size })).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining('sliding_window'),
      }),
    );
  });
});
