import { float, int } from '../onnx/attributes.ts';
import type { Graph, Model, Node, ValueInfo } from '../onnx/model.ts';
import { readDecoder, type Norm } from './decoder.ts';
import { nodeOf } from './edit.ts';

/**
 * The model without some of its blocks: the stream goes on to the next block as if a block had added
 * nothing. Blocks behind are renumbered, their weights and caches too.
 */
export function withoutBlocks(model: Model, blocks: readonly number[]): Model {
  let smaller = model;
  // From the last on, so that the numbers of those before hold.
  for (const index of blocks.toSorted((a, b) => b - a)) smaller = withoutBlock(smaller, index);
  return smaller;
}

function withoutBlock(model: Model, index: number): Model {
  const { blocks, finalNorm } = readDecoder(model);
  const first = blocks[index].norms.attention;
  const next = blocks[index + 1]?.norms.attention ?? finalNorm;
  // The next norm takes what the first norm of the block took.
  const stream = new Map<string, string>();
  const joined = joinedNorm(first, next, stream);
  const renamed = (name: string): string => stream.get(name) ?? name;
  const nodes = model.graph.nodes
    .filter((node) => node !== first.node)
    .map((node) => (node === next.node ? joined : node))
    .map((node) => ({ ...node, inputs: node.inputs.map(renamed) }));
  const own = new RegExp(`^(past_key_values|present)\\.${index}\\.`);
  const others = (ports: readonly ValueInfo[]): ValueInfo[] =>
    ports.filter(({ name }) => !own.test(name));
  const { inputs, outputs } = model.graph;
  const graph = { ...model.graph, nodes, inputs: others(inputs), outputs: others(outputs) };
  const shifted = (name: string): string =>
    name.replace(
      /^((?:blocks|past_key_values|present|model\.layers)\.)(\d+)\./,
      (all, kind, number) => (Number(number) > index ? `${kind}${Number(number) - 1}.` : all),
    );
  return { ...model, graph: withNames(withoutDead(graph), shifted) };
}

/** The norm `next` over the stream that `first` reads; `renames` says where else that stream goes. */
function joinedNorm(first: Norm, next: Norm, renames: Map<string, string>): Node {
  const [output, , , streamAfter] = next.node.outputs;
  const weight = next.node.inputs[2];
  if (first.node.opType === 'SimplifiedLayerNormalization') {
    // Nothing was added to the embedding yet.
    if (streamAfter) renames.set(streamAfter, first.node.inputs[0]);
    const attributes = { axis: int(-1), epsilon: float(next.epsilon), stash_type: int(1) };
    const inputs = [first.node.inputs[0], weight];
    const { name } = next.node;
    return nodeOf('SimplifiedLayerNormalization', inputs, [next.output], { attributes, name });
  }
  const [stream, update] = first.node.inputs;
  const [, , , sum] = first.node.outputs;
  if (streamAfter) renames.set(streamAfter, sum);
  return { ...next.node, inputs: [stream, update, weight], outputs: [output, '', '', sum] };
}

/** The graph without nodes that no output depends on, and without constants that no node uses. */
function withoutDead(graph: Graph): Graph {
  const used = new Set(graph.outputs.map(({ name }) => name));
  const alive: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    // An empty name is an output or input left out.
    if (!node.outputs.some((name) => name !== '' && used.has(name))) continue;
    alive.push(node);
    for (const name of node.inputs) used.add(name);
  }
  const initializers = new Map([...graph.initializers].filter(([name]) => used.has(name)));
  return { ...graph, nodes: alive.toReversed(), initializers };
}

/** The graph with other names of values, nodes, constants and ports. */
function withNames(graph: Graph, rename: (name: string) => string): Graph {
  const port = (info: ValueInfo): ValueInfo => ({ ...info, name: rename(info.name) });
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      name: rename(node.name),
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    })),
    initializers: new Map(
      [...graph.initializers.values()].map((tensor) => {
        const name = rename(tensor.name);
        return [name, name === tensor.name ? tensor : { ...tensor, name }];
      }),
    ),
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
    valueInfo: graph.valueInfo.map(port),
  };
}
