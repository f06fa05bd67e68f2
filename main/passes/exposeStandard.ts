import { int } from '../onnx/attributes.ts';
import type { Node } from '../onnx/model.ts';
import { AddedNodes, MASKED } from './addedNodes.ts';
import type { Exposure } from './exposeAttention.ts';
import { byHead, concat, scaled } from './exposeMultiHead.ts';
import {
  capped,
  causal,
  masked,
  SiteNames,
  switchedBy,
  switchTokens,
  unsupportedAttention,
} from './exposeSite.ts';
import { floatOf, intOf } from './fuseMatch.ts';
import type { GraphIndex } from './graphIndex.ts';

/**
 * Attention of ONNX (opset 23): inputs by head or by token, fewer heads of keys and values, cache,
 * mask of numbers or truth values, causal or not, soft cap.
 */
export function exposeStandard(graph: GraphIndex, node: Node, layer: number): Exposure {
  const [query, key, , mask = '', past = '', , lengths = ''] = node.inputs;
  const [output, present = ''] = node.outputs;
  if (lengths !== '') throw unsupportedAttention('lengths of padded keys', node);
  const names = new SiteNames(graph, layer);
  const added = new AddedNodes(names.prefix);
  const heads = intOf(node, 'q_num_heads', 0);
  const kvHeads = intOf(node, 'kv_num_heads', 0);
  const queries = added.float(heads === 0 ? query : byHead(added, query, heads));
  const newest = kvHeads === 0 ? key : byHead(added, key, kvHeads);
  const joined = past === '' ? newest : concat(added, past, newest);
  const keys = added.float(present === '' ? joined : present);
  const products = perGroup(added, queries, keys);
  let scores = scaled(added, products, queries, floatOf(node, 'scale', 0));
  scores = capped(added, scores, floatOf(node, 'softcap', 0));
  if (mask !== '') {
    scores = isTruth(graph, mask)
      ? masked(added, mask, scores)
      : added.op('Add', [scores, added.float(mask)]);
  }
  if (intOf(node, 'is_causal', 0) === 1) {
    // The first row stands behind the cache, however many keys come with it.
    const before = past === '' ? added.i64([0], []) : added.sizeOf(past, 2);
    const positions = added.range(before, added.op('Add', [before, added.sizeOf(queries, 2)]));
    scores = masked(added, causal(added, positions, added.sizeOf(keys, 2)), scores);
  }
  const named = added.op('Identity', [scores], { output: names.of('scores') });
  const pattern = softmaxOrNothing(added, named, names.of('pattern'));
  const { switched, inputs, ...keep } =
    heads === 0 ? switchHeads(added, output, names) : switchTokens(added, output, names, heads);
  const cached = graph.port(past)?.[1];
  return {
    site: {
      layer,
      heads,
      keyValueHeads: kvHeads || (typeof cached === 'number' ? cached : 0),
      scores: named,
      pattern,
      ...keep,
      sinks: null,
      parts: null,
    },
    added,
    switched,
    inputs,
  };
}

/** Products with the keys of each group, whatever the numbers of heads. */
function perGroup(added: AddedNodes, queries: string, keys: string): string {
  const attributes = { start: int(1), end: int(2) };
  const kvHeads = added.op('Shape', [keys], { attributes });
  const heads = added.op('Shape', [queries], { attributes });
  const whole = (count: string): string =>
    added.op('Concat', [added.i64([0]), count, added.i64([-1, 0])], {
      attributes: { axis: int(0) },
    });
  const grouped = added.op('Reshape', [queries, whole(kvHeads)]);
  const products = added.op('MatMul', [grouped, added.transpose(keys, [0, 1, 3, 2])]);
  return added.op('Reshape', [products, whole(heads)]);
}

/** Softmax over the keys; zeros in rows that may look nowhere. */
function softmaxOrNothing(added: AddedNodes, scores: string, output: string): string {
  const largest = added.op('ReduceMax', [scores, added.i64([-1])]);
  const looks = added.op('Greater', [largest, added.f32(MASKED / 2)]);
  return added.op('Where', [looks, added.softmax(scores), added.f32(0)], { output });
}

/** A switch for every head on [batch, heads, rows, size]. */
function switchHeads(added: AddedNodes, output: string, names: SiteNames) {
  const first = added.nodes.length;
  const keep = names.of('keep');
  const like = names.keepLike(added, output);
  const to = added.op('Mul', [output, like], { output: names.of('z') });
  const nodes = added.nodes.splice(first);
  return switchedBy(keep, ['heads', 1, 1], { from: output, to, nodes });
}

const truths = new Set(
  'And Or Not Xor Equal Less LessOrEqual Greater GreaterOrEqual IsNaN IsInf'.split(' '),
);
/** Operators that give the type they take, as their last input. */
const passing = new Set(
  'Unsqueeze Squeeze Expand Reshape Slice Transpose Identity Tile'.split(' '),
);
/** The code of the type bool. */
const BOOL = 9;

/** Whether a mask says which scores count, rather than what is added to them. */
function isTruth(graph: GraphIndex, mask: string): boolean {
  const { inputs, outputs, valueInfo, initializers } = graph.model.graph;
  const constant = initializers.get(mask);
  if (constant !== undefined) return constant.dataType === 'bool';
  const type = [...inputs, ...outputs, ...valueInfo].find(({ name }) => name === mask)?.type;
  if (type?.kind === 'tensor') return type.dataType === 'bool';
  const node = graph.producer(mask);
  if (node === undefined) return false;
  if (node.opType === 'Cast') return intOf(node, 'to', 0) === BOOL;
  if (node.opType === 'Where') return isTruth(graph, node.inputs[1]);
  if (passing.has(node.opType)) return isTruth(graph, node.inputs[0]);
  return truths.has(node.opType);
}
