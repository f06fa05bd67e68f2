import type { Graph, Model, Node } from '../../onnx/model.ts';
import { isFused, readDecoder } from '../../passes/decoder.ts';

/** What a node is shown as, and the block it belongs to. */
export interface NodeLabel {
  readonly label: string;
  /** null for what stands outside of all blocks, or serves several. */
  readonly block: number | null;
}

/** Values that Lathe's graphs give by the names of the field. */
const hookPoint = /^(blocks\.\d+\.|embed$|ln_final$|logits$)/;

/** `blocks.3.attn_out`, `model.layers.3.mlp.down_proj.weight`, `/model/layers.3/mlp/MatMul`. */
const blockNumber = /(?:^|[./_])(?:blocks|layers?|h|present)[._](\d+)(?:[./_]|$)/;

/**
 * The nodes of a graph by the names that the profiler gives them: a linear layer as recipes call it,
 * else the hook point a node gives, else its own name. The block is the number in the hook point, or
 * in the names of what the node gives, of itself or of its weights, else that of all nodes that take
 * what it gives.
 */
export function nodeLabels(model: Model): Map<string, NodeLabel> {
  const labels = new Map<string, NodeLabel>();
  const blocks = blocksOf(model.graph);
  for (const [at, node] of model.graph.nodes.entries()) {
    // The runtime numbers those that have no name.
    const name = node.name === '' ? `${node.opType}_${at}` : node.name;
    labels.set(name, { label: hookOf(node) ?? name, block: blocks.get(node) ?? null });
  }
  if (!isFused(model)) return labels;
  for (const { name, block, nodes } of readDecoder(model).linears)
    for (const [at, part] of partsOf(name, nodes).entries())
      labels.set(nodes[at].name, { label: part, block });
  return labels;
}

/** Names for the nodes of one layer: `lm_head/MatMulNBits`, numbered where an operator comes twice. */
function partsOf(layer: string, nodes: readonly Node[]): string[] {
  if (nodes.length === 1) return [layer];
  return nodes.map(({ opType }, at) => {
    const isTwice = nodes.filter((node) => node.opType === opType).length > 1;
    return `${layer}/${opType}${isTwice ? `_${at}` : ''}`;
  });
}

/**
 * The label of a node as the profiler calls it. What the runtime made of several nodes is called
 * after one of them: `Mul_22/SimplifiedLayerNormFusion/`.
 */
export function labelOf(labels: ReadonlyMap<string, NodeLabel>, node: string): NodeLabel {
  const known = labels.get(node) ?? labels.get(node.replace(/(\/\w+Fusion\w*\/?)+$/, ''));
  return known ?? { label: node, block: null };
}

const hookOf = ({ outputs }: Node): string | undefined =>
  outputs.find((output) => hookPoint.test(output));

function blocksOf({ nodes, initializers }: Graph): Map<Node, number | null> {
  const blocks = new Map<Node, number | null>();
  /** Blocks of all nodes that take a value. */
  const takers = new Map<string, Set<number | null>>();
  for (const node of nodes.toReversed()) {
    const hook = hookOf(node);
    const weights = node.inputs.filter((input) => initializers.has(input));
    const names = hook === undefined ? [...node.outputs, node.name, ...weights] : [hook];
    const number = names
      .map((name) => blockNumber.exec(name)?.[1])
      .find((one) => one !== undefined);
    const taking = new Set(node.outputs.flatMap((output) => [...(takers.get(output) ?? [])]));
    const [only = null] = taking.size === 1 && hook === undefined ? taking : [];
    const block = number === undefined ? only : Number(number);
    blocks.set(node, block);
    for (const input of node.inputs) {
      const set = takers.get(input) ?? new Set();
      takers.set(input, set.add(block));
    }
  }
  return blocks;
}
