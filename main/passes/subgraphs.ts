import { LatheError } from '../../preload/contract/errors.ts';
import { float, int } from '../onnx/attributes.ts';
import type { Graph, Model, Node, ValueInfo } from '../onnx/model.ts';
import { readDecoder, type Block, type Norm } from './decoder.ts';
import { MICROSOFT, nodeOf } from './edit.ts';
import { between, GraphIndex } from './graphIndex.ts';

/** Name of the value a block's subgraph takes: the residual stream before it. */
export const residPre = (index: number): string => `blocks.${index}.resid_pre`;

/** Name of the value it gives: the residual stream behind it. */
export const residPost = (index: number): string => `blocks.${index}.resid_post`;

/** Name of the value the subgraph of the output matrix takes. */
export const FINAL_STREAM = 'resid_final';

/**
 * One block as a model of its own. Takes `blocks.{i}.resid_pre` float32 [batch, sequence, hidden],
 * `seqlens_k` int32 [batch] (sequence - 1) and `total_sequence_length` int32 (sequence); gives
 * `blocks.{i}.resid_post`, of the same shape. There is no cache: every run is a whole sequence from
 * its beginning. Inner values have their names of the whole graph.
 */
export function blockModel(model: Model, index: number): Model {
  const block = readDecoder(model).blocks[index];
  if (block === undefined) {
    throw new LatheError('usage', `there is no such block: ${index}`, { value: String(index) });
  }
  const graph = new GraphIndex(model);
  const { norms, linears, attention } = block;
  const middle = between(graph, linears.down.output, norms.attention.output, [
    norms.mlp.node.inputs[0],
  ]).map((node) => (node === attention.node ? withoutCache(node) : node));
  const nodes = [
    leadingNorm(norms.attention, residPre(index)),
    ...middle.map((node) => (node === norms.mlp.node ? fromStream(node, block) : node)),
    nodeOf('Add', [streamAfter(norms.mlp), linears.down.output], [residPost(index)]),
  ];
  const hidden = ['batch_size', 'sequence_length', norms.attention.weight.dims[0]];
  return part(model, {
    name: `blocks.${index}`,
    nodes,
    inputs: [
      port(residPre(index), 'float32', hidden),
      port('seqlens_k', 'int32', ['batch_size']),
      port('total_sequence_length', 'int32', []),
    ],
    outputs: [port(residPost(index), 'float32', hidden)],
  });
}

/** The embedding: `input_ids` int64 [batch, sequence] to `embed` float32 [batch, sequence, hidden]. */
export function embeddingModel(model: Model): Model {
  const { embedding, hiddenSize } = readDecoder(model);
  return part(model, {
    name: 'embedding',
    nodes: embedding.nodes,
    inputs: [port('input_ids', 'int64', ['batch_size', 'sequence_length'])],
    outputs: [port('embed', 'float32', ['batch_size', 'sequence_length', hiddenSize])],
  });
}

/**
 * The last norm and the output matrix: `resid_final` float32 [batch, sequence, hidden] and
 * `logits_index` int64 [n] to `logits` float32 [batch, n, vocabulary].
 */
export function headModel(model: Model): Model {
  const { finalNorm, hiddenSize, vocabularySize } = readDecoder(model);
  const graph = new GraphIndex(model);
  return part(model, {
    name: 'head',
    nodes: [leadingNorm(finalNorm, FINAL_STREAM), ...between(graph, 'logits', finalNorm.output)],
    inputs: [
      port(FINAL_STREAM, 'float32', ['batch_size', 'sequence_length', hiddenSize]),
      port('logits_index', 'int64', ['logits_count']),
    ],
    outputs: [port('logits', 'float32', ['batch_size', 'logits_count', vocabularySize])],
  });
}

/** The norm over a stream that is whole already. */
function leadingNorm({ node, output, epsilon }: Norm, stream: string): Node {
  const weight = node.inputs[node.opType === 'SimplifiedLayerNormalization' ? 1 : 2];
  const attributes = { axis: int(-1), epsilon: float(epsilon), stash_type: int(1) };
  return nodeOf('SimplifiedLayerNormalization', [stream, weight], [output], { attributes });
}

/** The norm in the middle of a block, which adds to the stream that the block takes. */
function fromStream(node: Node, { index }: Block): Node {
  return { ...node, inputs: [residPre(index), ...node.inputs.slice(1)] };
}

/** The residual stream behind a norm that adds: its fourth output. */
function streamAfter({ node }: Norm): string {
  return node.outputs[3];
}

function withoutCache(node: Node): Node {
  const inputs = node.inputs.map((input, at) => (at === 3 || at === 4 ? '' : input));
  return { ...node, inputs, outputs: [node.outputs[0]], domain: MICROSOFT };
}

function port(
  name: string,
  dataType: 'float32' | 'int32' | 'int64',
  shape: readonly (string | number)[],
): ValueInfo {
  return { name, type: { kind: 'tensor', dataType, shape } };
}

function part(
  model: Model,
  { name, nodes, inputs, outputs }: Pick<Graph, 'name' | 'nodes' | 'inputs' | 'outputs'>,
): Model {
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const initializers = new Map([...model.graph.initializers].filter(([key]) => used.has(key)));
  const graph: Graph = {
    name,
    nodes,
    initializers,
    inputs,
    outputs,
    sparseInitializers: [],
    valueInfo: [],
  };
  return { ...model, graph };
}
