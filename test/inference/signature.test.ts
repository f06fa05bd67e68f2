import { expect, it } from 'vitest';
import { signatureOf } from '../../main/inference/signature.ts';

const cacheShape = ['batch', 4, 'past', 16];
const port = (name: string, dataType: string, shape: (number | string)[]) => ({
  name,
  dataType,
  shape,
});
const inputs = [
  port('input_ids', 'int64', ['batch', 'sequence']),
  port('attention_mask', 'int64', ['batch', 'total']),
  port('past_key_values.0.key', 'float32', cacheShape),
  port('past_key_values.0.value', 'float32', cacheShape),
];
const outputs = [
  port('logits', 'float32', ['batch', 'sequence', 100]),
  port('present.0.key', 'float32', cacheShape),
  port('present.0.value', 'float32', cacheShape),
];

it('recognises a decoder in the layout of common exporters', () => {
  expect(signatureOf('model.onnx', inputs, outputs)).toEqual({
    cache: [
      { past: 'past_key_values.0.key', present: 'present.0.key', kvHeads: 4, headDim: 16 },
      { past: 'past_key_values.0.value', present: 'present.0.value', kvHeads: 4, headDim: 16 },
    ],
    vocabularySize: 100,
    takes: {
      logits_index: false,
      attention_mask: true,
      position_ids: false,
      seqlens_k: false,
      total_sequence_length: false,
    },
  });
});

const layer = (name: string) => port(name, 'float32', ['batch', 2, 'past', 16]);

it('reads the size of every layer’s cache, which pruning may have made different', () => {
  const more = ['key', 'value'].map((what) => layer(`past_key_values.1.${what}`));
  const given = ['key', 'value'].map((what) => layer(`present.1.${what}`));
  const { cache } = signatureOf('model.onnx', [...inputs, ...more], [...outputs, ...given]);
  expect(cache.map(({ kvHeads }) => kvHeads)).toEqual([4, 4, 2, 2]);
});

const replaced = <T extends { name: string }>(ports: T[], name: string, change: Partial<T>): T[] =>
  ports.map((each) => (each.name === name ? { ...each, ...change } : each));
const without = <T extends { name: string }>(ports: T[], name: string): T[] =>
  ports.filter((each) => each.name !== name);

it.each([
  ['input_ids', without(inputs, 'input_ids'), outputs],
  ['use_cache_branch', [...inputs, port('use_cache_branch', 'bool', [1])], outputs],
  ['logits', inputs, without(outputs, 'logits')],
  ['logits', inputs, replaced(outputs, 'logits', { dataType: 'float16' })],
  ['logits', inputs, replaced(outputs, 'logits', { shape: ['batch', 'sequence', 'vocabulary'] })],
  ['past_key_values.0.key', inputs.slice(0, 2), outputs],
  ['present.0.value', inputs, without(outputs, 'present.0.value')],
  [
    'past_key_values.0.value',
    replaced(inputs, 'past_key_values.0.value', { dataType: 'float16' }),
    outputs,
  ],
  [
    'past_key_values.0.key',
    replaced(inputs, 'past_key_values.0.key', { shape: ['batch', 'heads', 'past', 16] }),
    outputs,
  ],
  [
    'past_key_values.0.value',
    replaced(inputs, 'past_key_values.0.value', { shape: ['batch', 4, 'past', 'head'] }),
    outputs,
  ],
])('names %s where the graph is no decoder that can be run', (name, given, gives) => {
  expect(() => signatureOf('model.onnx', given, gives)).toThrow(
    expect.objectContaining({
      code: 'graph_invalid',
      message: expect.stringContaining(name),
      data: { file: 'model.onnx', tensor: name },
    }),
  );
});
