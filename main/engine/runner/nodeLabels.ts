import type { Model, Node } from '../../onnx/model.ts';
import { isFused, readDecoder } from '../../passes/decoder.ts';

/** What a node is shown as, and the block it belongs to. */
export interface NodeLabel {
  readonly label: string;
  readonly block: number | null;
}

/** Values that Lathe's graphs give by the names of the field. */
const hookPoint = /^(blocks\.\d+\.|embed$|ln_final$|logits$)/;

/** `blocks.3.attn_out`, `model.layers.3.mlp.down_proj.weight`, `/model/layers.3/mlp/MatMul`. */
const blockNumber = /(?:^|[./_])(?:blocks|layers?|h|present|past_key_values)[._](\d+)(?:[./_]|$)/;

/**
 * The nodes of a graph by the names that the profiler gives them: a linear layer as recipes call it,
 * else the hook point a node gives, else its own name. The block is that of the layer, or the number
 * in the names of what the node gives, of itself, or of what it takes, in this order.
 */
export function nodeLabels(model: Model): Map<string, NodeLabel> {
  const labels = new Map<string, NodeLabel>();
  for (const [at, node] of model.graph.nodes.entries()) {
    // The runtime numbers those that have no name.
    const name = node.name === '' ? `${node.opType}_${at}` : node.name;
    labels.set(name, labelOf(node, name));
  }
  if (!isFused(model)) return labels;
  for (const { name, block, nodes } of readDecoder(model).linears) {
    for (const node of nodes) {
      const label = nodes.length === 1 ? name : `${name}/${node.name}`;
      labels.set(node.name, { label, block });
    }
  }
  return labels;
}

function labelOf({ inputs, outputs }: Node, name: string): NodeLabel {
  const label = outputs.find((output) => hookPoint.test(output)) ?? name;
  const numbers = [...outputs, name, ...inputs].map((text) => blockNumber.exec(text)?.[1]);
  const block = numbers.find((number) => number !== undefined);
  return { label, block: block === undefined ? null : Number(block) };
}
