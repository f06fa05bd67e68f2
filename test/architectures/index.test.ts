import { describe, expect, test } from 'vitest';
import { architectureOf } from '../../main/architectures/index.ts';
import { tinyLlamaConfig } from '../models/tinyLlama.ts';

const file = '/models/x/config.json';
const supported = `supported: llama (LlamaForCausalLM) (${file})`;

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
