import { int } from '../onnx/attributes.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import type { Node } from '../onnx/model.ts';
import { AddedNodes } from './addedNodes.ts';
import { MICROSOFT } from './edit.ts';
import type { Exposure } from './exposeAttention.ts';
import {
  capped,
  causal,
  masked,
  SiteNames,
  switchTokens,
  unsupportedAttention,
} from './exposeSite.ts';
import { floatOf, intOf } from './fuseMatch.ts';
import type { GraphIndex } from './graphIndex.ts';
import { readFloats } from './linear.ts';

/**
 * GroupQueryAttention of onnxruntime: packed or separate inputs, rotary embedding inside, cache,
 * soft cap, local window, bias of the scores, and sinks (a share of the softmax that goes nowhere).
 * Sequences are not padded.
 */
export function exposeGrouped(graph: GraphIndex, node: Node, layer: number): Exposure {
  const [query, key, value, past, , , total, cos, sin, positionIds = '', bias = '', sink = ''] =
    node.inputs;
  const [output, presentKey = '', presentValue = ''] = node.outputs;
  const quantized = node.inputs.slice(12).some((input) => input !== '');
  if (presentKey === '' || presentValue === '' || quantized) {
    throw unsupportedAttention('keys and values that it does not give out as floats', node);
  }
  const names = new SiteNames(graph, layer);
  const added = new AddedNodes(names.prefix);
  const heads = graph.int(node, 'num_heads');
  const kvHeads = graph.int(node, 'kv_num_heads');
  const headDim = graph.port(past)?.[3];
  const scale = floatOf(node, 'scale', 0) || 1 / Math.sqrt(Number(headDim));
  if (Number.isNaN(scale)) throw unsupportedAttention('a head size that is not stated', node);
  const rule = {
    scale,
    softcap: floatOf(node, 'softcap', 0),
    window: Math.max(0, intOf(node, 'local_window_size', -1)),
  };

  // [batch, rows, heads, size] each.
  const [queries, keys, values] =
    key === ''
      ? unpacked(added, query, heads, kvHeads)
      : [
          added.reshape(query, [0, 0, heads, -1]),
          added.reshape(key, [0, 0, kvHeads, -1]),
          added.reshape(value, [0, 0, kvHeads, -1]),
        ];
  for (const [hook, from] of Object.entries({ q: queries, k: keys, v: values })) {
    added.op('Identity', [from], { output: names.of(hook) });
  }
  const flat = added.reshape(queries, [0, 0, -1]);
  const sizes = { to: int(dataTypes.int64.code) };
  const totalSize = added.reshape(added.op('Cast', [total], { attributes: sizes }), []);
  const positions = added.range(added.op('Sub', [totalSize, added.sizeOf(flat, 1)]), totalSize);
  const turned = names.of('rot_q');
  if (intOf(node, 'do_rotary', 0) === 0) added.op('Identity', [flat], { output: turned });
  else {
    const shape = added.leading(flat, 2);
    const places = positionIds === '' ? added.op('Expand', [positions, shape]) : positionIds;
    const width = graph.weight(cos)?.dims[1];
    const partial = width !== undefined && typeof headDim === 'number' && 2 * width < headDim;
    added.op('RotaryEmbedding', [flat, places, cos, sin], {
      output: turned,
      domain: MICROSOFT,
      attributes: {
        interleaved: int(intOf(node, 'rotary_interleaved', 0)),
        num_heads: int(heads),
        rotary_embedding_dim: int(partial ? 2 * width : 0),
      },
    });
  }
  added.op('Identity', [presentKey], { output: names.of('rot_k') });

  const rows = added.transpose(added.reshape(turned, [0, 0, heads, -1]), [0, 2, 1, 3]);
  const scaled = added.op('Mul', [
    perKeyHead(added, rows, presentKey, heads, kvHeads),
    added.f32(scale),
  ]);
  const within = capped(added, scaled, rule.softcap);
  const biased = bias === '' ? within : added.op('Add', [within, bias]);
  const allowed = causal(added, positions, added.sizeOf(presentKey, 2), rule.window);
  const scores = masked(added, allowed, biased, names.of('scores'));
  const sinks = sinksOf(graph, node, sink, heads);
  const pattern = names.of('pattern');
  if (sinks === null) added.softmax(scores, pattern);
  else withSinks(added, scores, sinks, pattern);

  const { switched, inputs, ...keep } = switchTokens(added, output, names, heads);
  const parts = { rule, query: turned, key: presentKey, value: presentValue };
  return {
    site: {
      layer,
      heads,
      keyValueHeads: kvHeads,
      scores,
      pattern,
      ...keep,
      sinks,
      parts: bias === '' && sinks === null ? parts : null,
    },
    added,
    switched,
    inputs,
  };
}

/** Queries, keys and values out of one value [batch, rows, (heads + 2 · kvHeads) · size]. */
function unpacked(added: AddedNodes, packed: string, heads: number, kvHeads: number): string[] {
  const apart = added.reshape(packed, [0, 0, heads + 2 * kvHeads, -1]);
  const sizes = added.i64([heads, kvHeads, kvHeads]);
  return added.outputs('Split', [apart, sizes], 3, { attributes: { axis: int(2) } });
}

/**
 * Products of queries [batch, heads, rows, size] with the keys [batch, kvHeads, keys, size] of their
 * group: [batch, heads, rows, keys].
 */
function perKeyHead(
  added: AddedNodes,
  queries: string,
  keys: string,
  heads: number,
  kvHeads: number,
): string {
  const turned = added.transpose(keys, [0, 1, 3, 2]);
  if (heads === kvHeads) return added.op('MatMul', [queries, turned]);
  const grouped = added.reshape(queries, [0, kvHeads, -1, 0]);
  return added.reshape(added.op('MatMul', [grouped, turned]), [0, heads, -1, 0]);
}

/** A score of each head for a place that is not there, which takes its share of the softmax. */
function sinksOf(graph: GraphIndex, node: Node, sink: string, heads: number): Float32Array | null {
  if (sink === '') {
    return intOf(node, 'smooth_softmax', 0) === 1 ? new Float32Array(heads) : null;
  }
  const constant = graph.weight(sink);
  if (constant === null) throw unsupportedAttention('sinks that are no constant', node);
  return readFloats(constant);
}

/** Softmax over the keys and the sinks; the share of these is left out. */
function withSinks(added: AddedNodes, scores: string, sinks: Float32Array, output: string): void {
  const shape = [added.leading(scores, 3), added.i64([1])];
  const column = added.op('Concat', shape, { attributes: { axis: int(0) } });
  const perHead = added.floats('sinks', [1, sinks.length, 1, 1], sinks);
  const wide = added.op('Expand', [perHead, column]);
  const all = added.op('Concat', [scores, wide], { attributes: { axis: int(-1) } });
  const keys = added.reshape(added.sizeOf(scores, 3), [1]);
  added.op('Slice', [added.softmax(all), added.i64([0]), keys, added.i64([-1])], { output });
}
