import { describe, expect, test } from 'vitest';
import { checkModel } from '../../main/onnx/check.ts';
import { float, int, ints } from '../../main/onnx/attributes.ts';
import type { AttributeValue, Model, Node } from '../../main/onnx/model.ts';
import { intsOf } from '../../main/passes/fuseMatch.ts';
import { fuse } from '../../main/passes/fuse.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { unfuse } from '../../main/passes/unfuse.ts';
import { worstRelative } from '../architectures/compare.ts';
import { floatsOf, GraphRun } from '../architectures/graphRun.ts';
import { exportDecoder, type ExportStyle } from '../models/exporters.ts';
import type { TinyLlamaOptions } from '../models/tinyLlama.ts';
import { passContext } from './passContext.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const prompt = [1, 17, 33, 5, 5, 38, 0];
const continuation = [9, 21, 2];

/** Logits of the last tokens of a prompt and of each token behind it. */
async function logitsOf(model: Model): Promise<Float32Array[]> {
  const run = await GraphRun.of(model);
  const logits = [floatsOf((await run.step([prompt], [prompt.length - 1]))['logits'])];
  for (const id of continuation) logits.push(floatsOf((await run.step([[id]]))['logits']));
  await run.close();
  const size = logits[1].length;
  return logits.map((values) => values.slice(-size));
}

async function expectSame(found: Model, expected: Model): Promise<void> {
  const [a, b] = [await logitsOf(found), await logitsOf(expected)];
  for (const [step, logits] of a.entries()) {
    expect(worstRelative(logits, b[step])).toBeLessThan(1e-4);
  }
}

const styles: Record<string, ExportStyle> = {
  'torch, eager': { norm: 'primitive', attention: 'eager', linear: 'matmul' },
  'torch, sdpa': { norm: 'reciprocal', attention: 'sdpa', linear: 'matmul', lastOnly: true },
  'transposed weights, looked up angles': {
    norm: 'reciprocal',
    attention: 'eager',
    linear: 'transpose',
    angles: 'tables',
  },
  'norm operators': { norm: 'operator', attention: 'eager', linear: 'matmul' },
  grouped: { norm: 'skip', attention: 'grouped', linear: 'matmul' },
  'grouped, packed': { norm: 'skip', attention: 'groupedPacked', linear: 'matmul' },
  'grouped, turned outside': { norm: 'skip', attention: 'groupedOutsideRope', linear: 'matmul' },
  'grouped, 4 bit': { norm: 'skip', attention: 'grouped', linear: 'nbits' },
  'grouped, packed, 4 bit': { norm: 'skip', attention: 'groupedPacked', linear: 'nbits' },
};
/** Graphs that multiply in float16 round what the fused form does not. */
const halves: ExportStyle = { norm: 'skip', attention: 'grouped', linear: 'nbits16' };

const sizes: Record<string, TinyLlamaOptions> = {
  'heads alone': {},
  'grouped heads': { keyValueHeads: 2, tied: true },
  biases: { keyValueHeads: 1, attentionBias: true, mlpBias: true, tied: true },
  qwen2: { keyValueHeads: 2, fields: { model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'] } },
  'heads to be padded': { heads: 4, headDim: 12 },
};
const cases = Object.entries(styles).flatMap(([style, written]) =>
  Object.entries(sizes)
    // onnxruntime turns heads of a multiple of 16 only.
    .filter(([, { headDim }]) => headDim === undefined || !written.attention.startsWith('grouped'))
    .map(([size, options]) => ({ style, written, size, options })),
);

describe.each(cases)('a decoder written as $style ($size)', ({ written, options }) => {
  const { config, tensors } = tinyDecoder(options);
  const model = exportDecoder(config, tensors, written);

  test('gives the same logits when fused, and when unfused again', async () => {
    fuse.check({ model, config }, { pass: 'fuse' });
    const fused = await fuse.run({ model, config }, { pass: 'fuse' }, passContext());
    checkModel(fused.model, 'fused');
    expect(readDecoder(fused.model).blocks).toHaveLength(2);
    await expectSame(fused.model, model);
    const plain = await unfuse.run(fused, { pass: 'unfuse' }, passContext());
    checkModel(plain.model, 'plain');
    await expectSame(plain.model, model);
  });
});

/** A graph with every operator of one type changed. */
function withNodes(model: Model, opType: string, change: (node: Node) => Node): Model {
  const nodes = model.graph.nodes.map((node) => (node.opType === opType ? change(node) : node));
  expect(nodes).not.toEqual(model.graph.nodes);
  return { ...model, graph: { ...model.graph, nodes } };
}

const withAttribute = (node: Node, name: string, value: AttributeValue): Node => ({
  ...node,
  attributes: new Map([...node.attributes, [name, { ...value, name }]]),
});

const renamed =
  (opType: string) =>
  (node: Node): Node => ({ ...node, opType });

describe('a graph of another kind is refused, not misread:', () => {
  const { config, tensors } = tinyDecoder({ keyValueHeads: 2 });
  const eager = exportDecoder(config, tensors, styles['torch, eager']);
  const grouped = exportDecoder(config, tensors, styles['grouped']);
  const turned = exportDecoder(config, tensors, styles['grouped, turned outside']);
  const graphs: Record<string, Model> = {
    'another activation': withNodes(eager, 'Sigmoid', renamed('Tanh')),
    'a norm that subtracts the mean': withNodes(eager, 'ReduceMean', renamed('ReduceMax')),
    'turns in the other direction': withNodes(eager, 'Neg', renamed('Abs')),
    'no mask': withNodes(eager, 'Softmax', (node) => ({
      ...node,
      inputs: eager.graph.nodes.find(({ outputs }) => outputs[0] === node.inputs[0])?.inputs ?? [],
    })),
    'heads repeated in another order': withNodes(eager, 'Unsqueeze', (node) => {
      const next = eager.graph.nodes.find(({ inputs }) => inputs[0] === node.outputs[0]);
      return next?.opType === 'Expand' ? { ...node, inputs: [node.inputs[0], 'i64[1]'] } : node;
    }),
    'keys turned on another axis': withNodes(eager, 'Transpose', (node) =>
      intsOf(node, 'perm') === '0,1,3,2' ? withAttribute(node, 'perm', ints([0, 1, 2, 3])) : node,
    ),
    'a window': withNodes(grouped, 'GroupQueryAttention', (node) =>
      withAttribute(node, 'local_window_size', int(16)),
    ),
    'interleaved turns': withNodes(grouped, 'GroupQueryAttention', (node) =>
      withAttribute(node, 'rotary_interleaved', int(1)),
    ),
    'a bias of the scores': withNodes(grouped, 'GroupQueryAttention', (node) => ({
      ...node,
      inputs: [...node.inputs, '', 'bias'],
    })),
    'interleaved turns outside': withNodes(turned, 'RotaryEmbedding', (node) =>
      withAttribute(node, 'interleaved', int(1)),
    ),
    'another scale in one block': withNodes(grouped, 'GroupQueryAttention', (node) =>
      node.outputs[0] === 'attention_1' ? withAttribute(node, 'scale', float(2)) : node,
    ),
    'another epsilon in one norm': withNodes(grouped, 'SkipSimplifiedLayerNormalization', (node) =>
      node.inputs[2] === 'model.layers.1.input_layernorm.weight'
        ? withAttribute(node, 'epsilon', float(1e-3))
        : node,
    ),
    'no cache': {
      ...eager,
      graph: { ...eager.graph, inputs: eager.graph.inputs.slice(0, 3) },
    },
  };

  test.each(Object.keys(graphs))('%s', (name) => {
    const check = () => fuse.check({ model: graphs[name], config }, { pass: 'fuse' });
    expect(check).toThrow(expect.objectContaining({ code: 'graph_invalid' }));
  });

  test('angles that are not those of config.json', () => {
    const other = { ...config, rope_theta: 5000 };
    const check = () => fuse.check({ model: eager, config: other }, { pass: 'fuse' });
    expect(check).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  });
});

test('a graph in the fused form stays as it is', async () => {
  const { model, config } = tinyDecoder();
  const result = await fuse.run({ model, config }, { pass: 'fuse' }, passContext());
  expect(result.model).toBe(model);
  expect(result.notes).toEqual(['The graph is in the fused form already.']);
});

test('layers that multiply in float16 multiply in float32 when fused', async () => {
  const { config, tensors } = tinyDecoder({ keyValueHeads: 2 });
  const model = exportDecoder(config, tensors, halves);
  const fused = await fuse.run({ model, config }, { pass: 'fuse' }, passContext());
  const [a, b] = [await logitsOf(fused.model), await logitsOf(model)];
  for (const [step, logits] of a.entries()) {
    expect(worstRelative(logits, b[step])).toBeLessThan(1e-2);
  }
});
