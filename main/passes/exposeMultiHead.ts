import { int } from '../onnx/attributes.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import type { Node } from '../onnx/model.ts';
import { AddedNodes } from './addedNodes.ts';
import type { Exposure } from './exposeAttention.ts';
import {
  causal,
  masked,
  newestPositions,
  SiteNames,
  switchTokens,
  unsupportedAttention,
} from './exposeSite.ts';
import { floatOf, intOf, intsOf } from './fuseMatch.ts';
import type { GraphIndex } from './graphIndex.ts';

/** What onnxruntime adds to scores that a padding mask excludes, where the node does not say. */
const FILTER = -10_000;

/**
 * MultiHeadAttention of onnxruntime: queries, keys and values that are projected already, their
 * biases, cache, padding mask [batch, keys], bias of the scores, causal or not.
 */
export function exposeMultiHead(graph: GraphIndex, node: Node, layer: number): Exposure {
  const [query, key = '', , bias = '', padding = '', scoreBias = '', past = ''] = node.inputs;
  const [output, present = ''] = node.outputs;
  if (key === '') throw unsupportedAttention('queries, keys and values in one input', node);
  const names = new SiteNames(graph, layer);
  const added = new AddedNodes(names.prefix);
  const heads = graph.int(node, 'num_heads');
  const width = added.reshape(added.sizeOf(query, 2), [1]);
  const biased = (value: string, part: number): string => {
    if (bias === '') return value;
    const from = added.op('Mul', [width, added.i64([part])]);
    const to = added.op('Mul', [width, added.i64([part + 1])]);
    return added.op('Add', [value, added.op('Slice', [bias, from, to])]);
  };
  const queries = byHead(added, biased(query, 0), heads);
  const keysOfState = rankOf(graph, key) === 4;
  const newest = keysOfState ? key : byHead(added, biased(key, 1), heads);
  const joined = past === '' ? newest : concat(added, past, newest);
  const keys = present === '' ? joined : present;
  return exposed(graph, node, layer, {
    names,
    added,
    heads,
    queries,
    keys,
    padding,
    scoreBias,
    output,
  });
}

/**
 * Attention of onnxruntime: projects its input itself; otherwise as MultiHeadAttention, its cache
 * one value [2, batch, heads, keys, size].
 */
export function exposePackedAttention(graph: GraphIndex, node: Node, layer: number): Exposure {
  const [input, weights, bias = '', padding = '', past = '', scoreBias = ''] = node.inputs;
  const [output, present = ''] = node.outputs;
  if (intOf(node, 'do_rotary', 0) !== 0)
    throw unsupportedAttention('rotary embedding inside', node);
  if (rankOf(graph, padding) !== null && rankOf(graph, padding) !== 2) {
    throw unsupportedAttention('a mask that is not [batch, keys]', node);
  }
  const names = new SiteNames(graph, layer);
  const added = new AddedNodes(names.prefix);
  const heads = graph.int(node, 'num_heads');
  const product = added.op('MatMul', [input, weights]);
  const projected = bias === '' ? product : added.op('Add', [product, bias]);
  const [query, key] = thirds(added, projected, intsOf(node, 'qkv_hidden_sizes'));
  const queries = byHead(added, query, heads);
  const newest = byHead(added, key, heads);
  const first = (cache: string): string => added.op('Gather', [cache, added.i64([0], [])]);
  const joined = past === '' ? newest : concat(added, first(past), newest);
  const keys = present === '' ? joined : first(present);
  return exposed(graph, node, layer, {
    names,
    added,
    heads,
    queries,
    keys,
    padding,
    scoreBias,
    output,
  });
}

/** Queries and keys out of one value [batch, rows, …]: equal thirds, or of the sizes given. */
function thirds(added: AddedNodes, projected: string, sizes: string): string[] {
  if (sizes === '') {
    const apart = added.reshape(projected, [0, 0, 3, -1]);
    return [0, 1].map((part) =>
      added.op('Gather', [apart, added.i64([part], [])], { attributes: { axis: int(2) } }),
    );
  }
  const parts = added.i64(sizes.split(',').map(Number));
  return added.outputs('Split', [projected, parts], 3, { attributes: { axis: int(-1) } });
}

interface Found {
  readonly names: SiteNames;
  readonly added: AddedNodes;
  readonly heads: number;
  /** [batch, heads, rows, size]. */
  readonly queries: string;
  /** [batch, heads, keys, size]. */
  readonly keys: string;
  readonly padding: string;
  readonly scoreBias: string;
  readonly output: string;
}

function exposed(
  graph: GraphIndex,
  node: Node,
  layer: number,
  { names, added, heads, queries, keys, padding, scoreBias, output }: Found,
): Exposure {
  const paddingRank = rankOf(graph, padding);
  if (padding !== '' && paddingRank !== null && paddingRank !== 2) {
    throw unsupportedAttention('a mask that is not [batch, keys]', node);
  }
  const products = added.op('MatMul', [queries, added.transpose(keys, [0, 1, 3, 2])]);
  let scores = scaled(added, products, queries, floatOf(node, 'scale', 0));
  if (scoreBias !== '') scores = added.op('Add', [scores, scoreBias]);
  if (padding !== '') {
    const there = added.op('Unsqueeze', [padding, added.i64([1, 2])]);
    const to = { to: int(dataTypes.float32.code) };
    const none = added.op('Equal', [added.op('Cast', [there], { attributes: to }), added.f32(0)]);
    const filter = added.f32(floatOf(node, 'mask_filter_value', FILTER));
    const excluded = added.op('Where', [none, filter, added.f32(0)]);
    scores = added.op('Add', [scores, excluded]);
  }
  if (intOf(node, 'unidirectional', 0) === 1) {
    const keyCount = added.sizeOf(keys, 2);
    const positions = newestPositions(added, added.sizeOf(queries, 2), keyCount);
    scores = masked(added, causal(added, positions, keyCount), scores);
  }
  const named = added.op('Identity', [scores], { output: names.of('scores') });
  const pattern = added.softmax(named, names.of('pattern'));
  const { switched, inputs, ...keep } = switchTokens(added, output, names, heads);
  const site = {
    layer,
    heads,
    keyValueHeads: heads,
    scores: named,
    pattern,
    ...keep,
    sinks: null,
    parts: null,
  };
  return { site, added, switched, inputs };
}

/** [batch, rows, heads · size] as [batch, heads, rows, size]. */
export function byHead(added: AddedNodes, value: string, heads: number): string {
  return added.transpose(added.reshape(value, [0, 0, heads, -1]), [0, 2, 1, 3]);
}

/** Keys of the cache and the new ones behind them. */
export function concat(added: AddedNodes, past: string, newest: string): string {
  return added.op('Concat', [past, newest], { attributes: { axis: int(2) } });
}

/** Scores times `scale`, or by the root of the size of the queries where it is 0. */
export function scaled(
  added: AddedNodes,
  products: string,
  queries: string,
  scale: number,
): string {
  if (scale !== 0) return added.op('Mul', [products, added.f32(scale)]);
  const to = { to: int(dataTypes.float32.code) };
  const size = added.op('Cast', [added.sizeOf(queries, 3)], { attributes: to });
  return added.op('Div', [products, added.op('Sqrt', [size])]);
}

/** The number of dimensions of a value, where the graph says. */
export function rankOf(graph: GraphIndex, value: string): number | null {
  if (value === '') return null;
  const { inputs, outputs, valueInfo, initializers } = graph.model.graph;
  const constant = initializers.get(value);
  if (constant !== undefined) return constant.dims.length;
  const type = [...inputs, ...outputs, ...valueInfo].find(({ name }) => name === value)?.type;
  return type?.kind === 'tensor' ? (type.shape?.length ?? null) : null;
}
