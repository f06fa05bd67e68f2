import { LatheError } from '../../preload/contract/errors.ts';
import type { Model, Node } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { between, GraphIndex } from './graphIndex.ts';
import { isFloatLinear, type FloatLinear, type Linear, type LinearPart } from './linear.ts';

/** RMSNorm, with the residual sum before it where there is one. */
export interface Norm {
  readonly node: Node;
  /** [hidden]. */
  readonly weight: Tensor;
  readonly epsilon: number;
  /** The value it gives: `blocks.3.ln1`. */
  readonly output: string;
}

/** One block: attention and MLP around a residual stream. */
export interface Block {
  readonly index: number;
  readonly attention: {
    /** GroupQueryAttention over packed queries, keys and values. */
    readonly node: Node;
    readonly heads: number;
    readonly kvHeads: number;
    /** Elements of a head in the cache; may be padded above what `scale` stands for. */
    readonly headDim: number;
    readonly scale: number;
  };
  /** Neurons of the MLP. */
  readonly neurons: number;
  /** Their outputs have the consumers `linears.qkv` and `linears.gateUp`, and no other. */
  readonly norms: { readonly attention: Norm; readonly mlp: Norm };
  readonly linears: {
    readonly qkv: Linear;
    readonly o: Linear;
    readonly gateUp: Linear;
    readonly down: Linear;
  };
}

/** A decoder of the Llama kind in the fused form, as what its parts mean. */
export interface Decoder {
  readonly model: Model;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly embedding: {
    /** All nodes between `input_ids` and `embed`. */
    readonly nodes: readonly Node[];
    /** [vocabulary, hidden]; null where it is stored in another form than floats. */
    readonly weight: Tensor | null;
    /** The output matrix is the same constant. */
    readonly tied: boolean;
  };
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;
  readonly head: Linear;
  /** All linear layers in the order they run, the output matrix last. */
  readonly linears: readonly Linear[];
}

/** The layers whose weights are floats. */
export function floatLinears(decoder: Decoder): FloatLinear[] {
  return decoder.linears.filter(isFloatLinear);
}

/**
 * Reads a decoder from its graph: sizes from the graph alone, since blocks may differ after pruning.
 * `graph_invalid` where it is not in the fused form that Lathe builds and `fuse` makes.
 */
export function readDecoder(model: Model): Decoder {
  const graph = new GraphIndex(model);
  const blocks: Block[] = [];
  while (graph.input(`past_key_values.${blocks.length}.key`) !== null) {
    blocks.push(readBlock(graph, blocks.length));
  }
  if (blocks.length === 0) throw unfused('past_key_values.0.key');
  const finalNorm = readNorm(graph, 'ln_final');
  const embed = between(graph, 'embed', 'input_ids');
  const table = embed.map((node) => graph.weight(node.inputs[0] ?? '')).find((one) => one !== null);
  const wanted = graph.onlyConsumer('ln_final');
  const hiddenSize = finalNorm.weight.dims[0];
  const vocabularySize = lastSize(graph, 'logits');
  const headInput = wanted?.opType === 'Gather' ? wanted.outputs[0] : 'ln_final';
  const head = readLinear(graph, {
    name: 'lm_head',
    role: 'head',
    block: null,
    input: headInput,
    output: 'logits',
    rows: vocabularySize,
    columns: hiddenSize,
    parts: [{ name: 'head', from: 0, to: vocabularySize }],
  });
  const embeddingWeight = table?.dims.length === 2 && graph.isFloat(table) ? table : null;
  const tied = head.weight !== null && head.weight === embeddingWeight;
  const linears = blocks.flatMap(({ linears: { qkv, o, gateUp, down } }) => [qkv, o, gateUp, down]);
  const shared = { ...head, shared: tied };
  return {
    model,
    hiddenSize,
    vocabularySize,
    embedding: { nodes: embed, weight: embeddingWeight, tied },
    blocks,
    finalNorm,
    head: shared,
    linears: [...linears, shared],
  };
}

/** Whether a graph is in the fused form. */
export function isFused(model: Model): boolean {
  try {
    readDecoder(model);
    return true;
  } catch (error) {
    if (error instanceof LatheError && error.code === 'graph_invalid') return false;
    throw error;
  }
}

function readBlock(graph: GraphIndex, index: number): Block {
  const at = (name: string): string => `blocks.${index}.${name}`;
  const node = graph.producer(at('attn.heads'));
  const isOurs = node?.opType === 'GroupQueryAttention' && node.inputs[1] === '';
  if (node === undefined || !isOurs) throw unfused(at('attn.heads'));
  for (const table of node.inputs.slice(7, 9)) {
    if (graph.weight(table) === null) throw unfused(table);
  }
  const heads = graph.int(node, 'num_heads');
  const kvHeads = graph.int(node, 'kv_num_heads');
  const headDim = lastSize(graph, `past_key_values.${index}.key`);
  const norms = { attention: readNorm(graph, at('ln1')), mlp: readNorm(graph, at('ln2')) };
  const hidden = norms.attention.weight.dims[0];
  const split = graph.producer(at('mlp.pre'));
  if (split?.opType !== 'Split') throw unfused(at('mlp.pre'));
  const neurons = graph.innerSize(between(graph, at('mlp_out'), at('mlp.post')));
  if (neurons === null) throw unfused(at('mlp_out'));
  const queries = heads * headDim;
  const keys = kvHeads * headDim;
  const linear = (
    name: string,
    role: 'qkv' | 'o' | 'gateUp' | 'down',
    [input, output]: [string, string],
    columns: number,
    sizes: readonly (readonly [LinearPart['name'], number])[],
  ): Linear => {
    let from = 0;
    const parts = sizes.map(([part, size]) => ({ name: part, from, to: (from += size) }));
    return readLinear(graph, {
      name: at(name),
      role,
      block: index,
      input,
      output,
      rows: from,
      columns,
      parts,
    });
  };
  return {
    index,
    attention: {
      node,
      heads,
      kvHeads,
      headDim,
      scale: graph.float(node, 'scale') ?? 1 / Math.sqrt(headDim),
    },
    neurons,
    norms,
    linears: {
      qkv: linear('attn.qkv', 'qkv', [at('ln1'), node.inputs[0]], hidden, [
        ['q', queries],
        ['k', keys],
        ['v', keys],
      ]),
      o: linear('attn.o', 'o', [at('attn.heads'), at('attn_out')], queries, [['o', hidden]]),
      gateUp: linear('mlp.gate_up', 'gateUp', [at('ln2'), split.inputs[0]], hidden, [
        ['gate', neurons],
        ['up', neurons],
      ]),
      down: linear('mlp.down', 'down', [at('mlp.post'), at('mlp_out')], neurons, [
        ['down', hidden],
      ]),
    },
  };
}

/** The layer between two values; its weight where it is one product with a float matrix. */
function readLinear(
  graph: GraphIndex,
  known: Omit<Linear, 'nodes' | 'weight' | 'bias' | 'shared'>,
): Linear {
  const nodes = between(graph, known.output, known.input);
  const [product, ...more] = nodes.filter(({ opType }) => opType !== 'Cast');
  const plain = { ...known, nodes, weight: null, bias: null, shared: false };
  if (product?.opType !== 'FusedMatMul' || product.inputs[0] !== known.input) return plain;
  const weight = graph.weight(product.inputs[1]);
  if (weight === null || !graph.isFloat(weight)) return plain;
  const [add] = more;
  const bias = add === undefined ? null : graph.weight(add.inputs[1]);
  if (more.length > 1 || (add !== undefined && (add.opType !== 'Add' || bias === null)))
    return plain;
  const [rows, columns] = weight.dims;
  if (rows !== known.rows || columns !== known.columns) {
    const problem = `weight must be [${known.rows}, ${known.columns}]`;
    throw new LatheError('graph_invalid', `${problem}: [${weight.dims.join(', ')}]`, {
      tensor: weight.name,
      node: product.name,
    });
  }
  return { ...plain, weight, bias };
}

/** Which input of a norm is its weight. */
const normOperands = new Map([
  ['SimplifiedLayerNormalization', 1],
  ['SkipSimplifiedLayerNormalization', 2],
]);

function readNorm(graph: GraphIndex, output: string): Norm {
  const node = graph.producer(output);
  const operand = node === undefined ? undefined : normOperands.get(node.opType);
  if (node === undefined || operand === undefined) throw unfused(output);
  const weight = graph.weight(node.inputs[operand]);
  if (weight === null) throw unfused(output);
  return { node, weight, epsilon: graph.float(node, 'epsilon') ?? 1e-5, output };
}

function lastSize(graph: GraphIndex, port: string): number {
  const size = graph.port(port)?.at(-1);
  if (typeof size !== 'number') throw unfused(port);
  return size;
}

function unfused(value: string): LatheError {
  return new LatheError(
    'graph_invalid',
    `the graph is no decoder of the Llama kind in the fused form (the pass fuse makes it one): ${value}`,
    { value },
  );
}
