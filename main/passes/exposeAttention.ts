import { LatheError } from '../../preload/contract/errors.ts';
import type { Model, Node, ValueInfo } from '../onnx/model.ts';
import { AddedNodes } from './addedNodes.ts';
import { exposeGrouped } from './exposeGrouped.ts';
import { exposeMultiHead, exposePackedAttention } from './exposeMultiHead.ts';
import { exposeStandard } from './exposeStandard.ts';
import { unsupportedAttention } from './exposeSite.ts';
import { exposeSoftmax, isAttentionSoftmax } from './exposeSoftmax.ts';
import { MICROSOFT } from './edit.ts';
import { GraphIndex } from './graphIndex.ts';

/** How scores follow from queries and keys, where nothing else goes into them. */
export interface ScoreRule {
  /** Queries times keys times this. */
  readonly scale: number;
  /** cap · tanh(score / cap), before the mask; 0 for none. */
  readonly softcap: number;
  /** A token looks at itself and so many less one before it; 0 for all. */
  readonly window: number;
}

/** Attention of one layer, with its inner values to be asked for. */
export interface AttentionSite {
  /** In the order they run. */
  readonly layer: number;
  /** 0 where only a run shows how many there are. */
  readonly heads: number;
  readonly keyValueHeads: number;
  /** float32 [batch, heads, rows, keys], as the softmax takes them; masked ones very negative. */
  readonly scores: string;
  /** Probabilities, [batch, heads, rows, keys]. */
  readonly pattern: string;
  /**
   * A score of each head for a place that is not there, which takes a share of the softmax: rows sum
   * to less than 1. Null for none.
   */
  readonly sinks: Float32Array | null;
  /** float32 input [heads, 1, …] that switches heads off: 0 or 1 for each. */
  readonly keep: string;
  /** Dimensions of that input. */
  readonly keepRank: number;
  /** What scores follow from; null where a bias or a mask of the graph goes into them. */
  readonly parts: {
    readonly rule: ScoreRule;
    /** Queries after rotary embedding, [batch, rows, heads · size]. */
    readonly query: string;
    /** Keys after rotary embedding and values, [batch, key-value heads, keys, size]. */
    readonly key: string;
    readonly value: string;
  } | null;
}

/** A graph whose attention shows what it computes. */
export interface Exposed {
  readonly model: Model;
  readonly sites: readonly AttentionSite[];
}

/** What one kind of attention adds to a graph. */
export interface Exposure {
  readonly site: AttentionSite;
  readonly added: AddedNodes;
  /** The value that heads are switched off in, and the one that takes its place. */
  readonly switched: {
    readonly from: string;
    readonly to: string;
    readonly nodes: readonly Node[];
  };
  readonly inputs: readonly ValueInfo[];
}

/**
 * Finds every attention of a decoder graph, whatever operators it is written in, and adds nodes that
 * compute its scores and probabilities from its inputs, under the names `blocks.{layer}.attn.scores`
 * and `.pattern` (queries, keys and values likewise where they stand apart). What the graph gives
 * stays as it is; an added value costs nothing until it is asked for as an output. Every attention
 * gets an input `blocks.{layer}.attn.keep`, whose zeros switch heads off.
 *
 * Recognised: GroupQueryAttention, MultiHeadAttention and Attention of onnxruntime, Attention of
 * ONNX, and a Softmax between two matrix products. `graph_invalid` where there is none.
 */
export function exposeAttention(model: Model): Exposed {
  const graph = new GraphIndex(model);
  const found = model.graph.nodes.filter((node) => kindOf(graph, node) !== null);
  if (found.length === 0) {
    const lookedFor =
      'GroupQueryAttention, MultiHeadAttention, Attention, Softmax between two products';
    const operators = [...new Set(model.graph.nodes.map(({ opType }) => opType))].toSorted();
    throw new LatheError(
      'graph_invalid',
      `no attention is recognised in the graph; looked for ${lookedFor}; it has: ${operators.join(', ')}`,
      { value: operators.join(', '), next: ['choose-model'] },
    );
  }
  const opset = model.opsets.get('') ?? 0;
  const exposures = found.map((node, layer) => {
    const expose = kindOf(graph, node);
    if (expose === null) throw new RangeError('filtered above');
    if (expose !== exposeSoftmax && opset < LEAST_OPSET) {
      throw unsupportedAttention(`an opset below ${LEAST_OPSET} (${opset})`, node);
    }
    return expose(graph, node, layer);
  });
  return {
    model: withExposures(model, exposures),
    sites: exposures.map(({ site }) => site),
  };
}

/** The first in which axes are inputs, as the nodes that are added have them. */
const LEAST_OPSET = 13;

type Expose = (graph: GraphIndex, node: Node, layer: number) => Exposure;

function kindOf(graph: GraphIndex, node: Node): Expose | null {
  const name = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
  switch (name) {
    case `${MICROSOFT}.GroupQueryAttention`:
      return exposeGrouped;
    case `${MICROSOFT}.MultiHeadAttention`:
      return exposeMultiHead;
    case `${MICROSOFT}.Attention`:
      return exposePackedAttention;
    case 'Attention':
      return exposeStandard;
    case 'Softmax':
      return isAttentionSoftmax(graph, node) ? exposeSoftmax : null;
    default:
      return null;
  }
}

function withExposures(model: Model, exposures: readonly Exposure[]): Model {
  const { graph } = model;
  const renamed = new Map(exposures.map(({ switched }) => [switched.from, switched.to]));
  const switches = new Map(exposures.map(({ switched }) => [switched.from, switched.nodes]));
  const nodes = graph.nodes.flatMap((node) => [
    renamedInputs(node, renamed),
    ...node.outputs.flatMap((output) => switches.get(output) ?? []),
  ]);
  const added = exposures.flatMap((exposure) => exposure.added.nodes);
  const initializers = new Map(graph.initializers);
  for (const exposure of exposures) {
    for (const [name, tensor] of exposure.added.constants) initializers.set(name, tensor);
  }
  const opsets = new Map(model.opsets);
  if (added.some(({ domain }) => domain === MICROSOFT)) opsets.set(MICROSOFT, 1);
  return {
    ...model,
    opsets,
    graph: {
      ...graph,
      nodes: [...nodes, ...added],
      initializers,
      inputs: [...graph.inputs, ...exposures.flatMap(({ inputs }) => inputs)],
    },
  };
}

function renamedInputs(node: Node, renamed: ReadonlyMap<string, string>): Node {
  if (!node.inputs.some((input) => renamed.has(input))) return node;
  return { ...node, inputs: node.inputs.map((input) => renamed.get(input) ?? input) };
}
