import type { Node } from '../onnx/model.ts';
import { AddedNodes } from './addedNodes.ts';
import type { Exposure } from './exposeAttention.ts';
import { SiteNames, switchedBy } from './exposeSite.ts';
import { intOf } from './fuseMatch.ts';
import type { GraphIndex } from './graphIndex.ts';

/** Operators that scores may pass between their product and the softmax. */
const onScores = new Set(
  'Add Mul Div Sub Where Tanh Cast Reshape Identity Clip Max Min Expand Unsqueeze Squeeze Transpose'.split(
    ' ',
  ),
);
/** Operators that a pattern may pass on its way to the values. */
const onPatterns = new Set('Where IsNaN Cast Reshape Identity Dropout Transpose'.split(' '));
/** Longest such way. */
const LONGEST = 12;

const products = ['MatMul', 'FusedMatMul', 'Einsum'];

/** Whether a softmax stands between the product with the keys and that with the values. */
export function isAttentionSoftmax(graph: GraphIndex, node: Node): boolean {
  const axis = intOf(node, 'axis', -1);
  return (
    (axis === -1 || axis === 3) &&
    madeByProduct(graph, node.inputs[0]) &&
    mixes(graph, node.outputs[0])
  );
}

/** Whether a product of two values that are computed stands behind a value. */
function madeByProduct(graph: GraphIndex, value: string, left = LONGEST): boolean {
  const node = graph.producer(value);
  if (node === undefined || left === 0) return false;
  if (products.includes(node.opType))
    return node.inputs.slice(0, 2).every((input) => graph.weight(input) === null);
  return (
    onScores.has(node.opType) && node.inputs.some((input) => madeByProduct(graph, input, left - 1))
  );
}

function mixes(graph: GraphIndex, value: string, left = LONGEST): boolean {
  return graph.consumers(value).some((node) => {
    if (products.includes(node.opType)) return true;
    return (
      left > 0 &&
      onPatterns.has(node.opType) &&
      node.outputs.some((output) => mixes(graph, output, left - 1))
    );
  });
}

/**
 * Attention written out: scores [batch, heads, rows, keys] behind a softmax, whatever made them. How
 * many heads there are shows when it runs: the site says 0.
 */
export function exposeSoftmax(graph: GraphIndex, node: Node, layer: number): Exposure {
  const names = new SiteNames(graph, layer);
  const added = new AddedNodes(names.prefix);
  const scores = names.of('scores');
  const pattern = names.of('pattern');
  added.float(node.inputs[0], scores);
  added.float(node.outputs[0], pattern);
  const keep = names.of('keep');
  const first = added.nodes.length;
  const to = added.op('Mul', [node.outputs[0], names.keepLike(added, node.outputs[0])]);
  const nodes = added.nodes.splice(first);
  const cache = graph.port(`past_key_values.${layer}.key`)?.[1];
  const { switched, inputs, ...keeping } = switchedBy(keep, ['heads', 1, 1], {
    from: node.outputs[0],
    to,
    nodes,
  });
  return {
    site: {
      layer,
      heads: 0,
      keyValueHeads: typeof cache === 'number' ? cache : 0,
      scores,
      pattern,
      ...keeping,
      sinks: null,
      parts: null,
    },
    added,
    switched,
    inputs,
  };
}
