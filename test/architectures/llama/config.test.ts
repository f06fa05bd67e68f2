import { describe, expect, test } from 'vitest';
import { readLlamaConfig } from '../../../main/architectures/llama/config.ts';

const file = 'config.json';
const minimal = {
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 100,
};

test('what a config.json leaves out has the default of transformers', () => {
  expect(readLlamaConfig(minimal, file)).toEqual({
    hiddenSize: 64,
    intermediateSize: 96,
    layers: 2,
    heads: 4,
    keyValueHeads: 4,
    headDim: 16,
    vocabularySize: 100,
    contextLength: 2048,
    normEpsilon: 1e-6,
    rope: { kind: 'default', theta: 10_000 },
    tiedEmbeddings: false,
    attentionBias: false,
    outputBias: false,
    mlpBias: false,
  });
});

test('null stands for a field that is left out where transformers writes it so', () => {
  const nulls = { num_key_value_heads: null, head_dim: null, rope_scaling: null };
  expect(readLlamaConfig({ ...minimal, ...nulls }, file)).toEqual(readLlamaConfig(minimal, file));
});

test('a longer context than 131,072 tokens is cut to that', () => {
  const long = { ...minimal, max_position_embeddings: 10_485_760 };
  expect(readLlamaConfig(long, file).contextLength).toBe(131_072);
});

describe('a field that cannot be used is named with its value', () => {
  test.each([
    ['hidden_size', 0, '0'],
    ['hidden_size', 65_537, '65537'],
    ['hidden_size', 64.5, '64.5'],
    ['hidden_size', '64', '"64"'],
    ['hidden_size', undefined, 'nothing'],
    ['intermediate_size', 1_048_577, '1048577'],
    ['num_hidden_layers', -1, '-1'],
    ['num_hidden_layers', 1e9, '1000000000'],
    ['num_attention_heads', 2000, '2000'],
    ['num_attention_heads', 3, '3'],
    ['num_key_value_heads', 3, '3'],
    ['num_key_value_heads', 0, '0'],
    ['num_key_value_heads', 8, '8'],
    ['head_dim', 15, '15'],
    ['head_dim', 4096, '4096'],
    ['vocab_size', 2 ** 53, '9007199254740992'],
    ['max_position_embeddings', 0, '0'],
    ['rms_norm_eps', 0, '0'],
    ['rms_norm_eps', -1e-5, '-0.00001'],
    ['rms_norm_eps', 'small', '"small"'],
    ['hidden_act', 'gelu', '"gelu"'],
    ['hidden_act', null, 'null'],
    ['tie_word_embeddings', 'yes', '"yes"'],
    ['attention_bias', 1, '1'],
    ['quantization_config', { bits: 4 }, '{"bits":4}'],
    ['partial_rotary_factor', 0.5, '0.5'],
    ['rope_theta', -1, '-1'],
  ])('%s: %j', (field, value, shown) => {
    const act = () => readLlamaConfig({ ...minimal, [field]: value }, file);
    expect(act).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringMatching(new RegExp(`^${field}: .*: .*\\(config\\.json\\)$`)),
        data: { file, value: shown },
      }),
    );
  });
});
