import type { Attribute, AttributeValue, Graph, Model, Node } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { subgraphs } from '../onnx/walk.ts';

/** A change to a graph. */
export interface Edit {
  /** Nodes to take out, by identity. */
  readonly remove?: Iterable<Node>;
  /** Nodes to put in where the last removed one stood, or before `before`; else at the end. */
  readonly nodes?: readonly Node[];
  readonly before?: Node;
  /** Constants to add; one of a known name takes its place. */
  readonly initializers?: readonly Tensor[];
}

/** The name of the operators that onnxruntime adds to ONNX. */
export const MICROSOFT = 'com.microsoft';

/** A node as an edit puts it in. */
export function nodeOf(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  options: {
    attributes?: Readonly<Record<string, AttributeValue>>;
    domain?: string;
    name?: string;
  } = {},
): Node {
  const attributes = new Map(
    Object.entries(options.attributes ?? {}).map(([name, value]): [string, Attribute] => [
      name,
      { ...value, name },
    ]),
  );
  const { domain = '', name = `${outputs[0]}/${opType}` } = options;
  return { name, opType, domain, overload: '', inputs, outputs, attributes };
}

/** The model after edits; constants that no node uses any more are left out. */
export function edited(model: Model, ...edits: readonly Edit[]): Model {
  const removed = new Set<Node>();
  const before = new Map<Node, Node[]>();
  const atEnd: Node[] = [];
  const initializers = new Map(model.graph.initializers);
  const order = new Map(model.graph.nodes.map((node, index) => [node, index]));
  for (const edit of edits) {
    const gone = [...(edit.remove ?? [])];
    for (const node of gone) removed.add(node);
    for (const tensor of edit.initializers ?? []) initializers.set(tensor.name, tensor);
    const last = gone.reduce((most, node) => Math.max(most, order.get(node) ?? -1), -1);
    const place = edit.before ?? (last < 0 ? undefined : model.graph.nodes[last]);
    if (place === undefined) atEnd.push(...(edit.nodes ?? []));
    else before.set(place, [...(before.get(place) ?? []), ...(edit.nodes ?? [])]);
  }
  const nodes = model.graph.nodes.flatMap((node) => [
    ...(before.get(node) ?? []),
    ...(removed.has(node) ? [] : [node]),
  ]);
  const domains = new Set([...nodes, ...atEnd].map(({ domain }) => domain));
  const opsets = new Map(model.opsets);
  if (domains.has(MICROSOFT) && !opsets.has(MICROSOFT)) opsets.set(MICROSOFT, 1);
  const graph = { ...model.graph, nodes: [...nodes, ...atEnd], initializers };
  return { ...model, opsets, graph: withoutUnused(graph) };
}

/** The graph without constants that nothing uses. */
function withoutUnused(graph: Graph): Graph {
  const used = new Set(graph.outputs.map(({ name }) => name));
  const use = ({ nodes }: Graph): void => {
    for (const node of nodes) {
      for (const name of node.inputs) used.add(name);
      subgraphs(node).forEach(use);
    }
  };
  use(graph);
  const initializers = new Map([...graph.initializers].filter(([name]) => used.has(name)));
  const valueInfo = graph.valueInfo;
  return { ...graph, initializers, valueInfo };
}

/** Bytes of all constants of a model. */
export function weightBytes({ graph }: Model): number {
  let sum = 0;
  for (const { bytes } of graph.initializers.values()) sum += bytes.length;
  return sum;
}
