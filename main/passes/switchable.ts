import { graphValue } from '../onnx/attributes.ts';
import type { Graph, Model, Node } from '../onnx/model.ts';
import { tensorOf } from '../onnx/tensor.ts';
import { AddedNodes } from './addedNodes.ts';
import type { Decoder } from './decoder.ts';
import { edited, nodeOf, type Edit } from './edit.ts';
import { GraphIndex } from './graphIndex.ts';
import { readFloats } from './linear.ts';
import { constantsOf, EMBEDDING, normsOf, type MixUnit } from './mix.ts';

/** Input of a switchable model, bool [units]: which of them are as the base has them. */
export const PUT_BACK = 'put_back';

/**
 * The variant with an input more, `put_back`, that says for each unit whether it is to run as the base
 * has it. Both forms of a unit are in the graph, each stored as it is in its model, and only the one
 * chosen runs. Constants stay lazy, so both models must stay open.
 */
export function switchable(base: Decoder, variant: Decoder, units: readonly MixUnit[]): Model {
  const choices = new AddedNodes(PUT_BACK);
  const edits = units.flatMap((unit, at) => {
    const choice = choices.op('Gather', [PUT_BACK, choices.i64([at], [])]);
    return [
      ...unit.layers.flatMap((name) => layerEdit(base, variant, name, choice)),
      ...unit.norms.map((name) => normEdit(base, variant, name, choice)),
    ];
  });
  const { model } = variant;
  const opsets = new Map(model.opsets);
  for (const [domain, version] of base.model.opsets) {
    opsets.set(domain, Math.max(version, opsets.get(domain) ?? 0));
  }
  const input = {
    name: PUT_BACK,
    type: { kind: 'tensor', dataType: 'bool', shape: [units.length] },
  } as const;
  const graph = { ...model.graph, inputs: [...model.graph.inputs, input] };
  const irVersion = Math.max(model.irVersion, base.model.irVersion);
  const first: Edit = {
    before: graph.nodes[0],
    nodes: choices.nodes,
    initializers: [...choices.constants.values()],
  };
  return edited({ ...model, opsets, irVersion, graph }, first, ...edits);
}

/** Nodes between two values. */
interface Region {
  readonly nodes: readonly Node[];
  readonly input: string;
  readonly output: string;
}

/** A linear layer or the embedding; null for names of norms. */
function regionOf({ linears, embedding }: Decoder, name: string): Region | null {
  if (name !== EMBEDDING) return linears.find((linear) => linear.name === name) ?? null;
  return { nodes: embedding.nodes, input: 'input_ids', output: 'embed' };
}

/** Puts a choice between both forms of a layer in its place. */
function layerEdit(base: Decoder, variant: Decoder, name: string, choice: string): Edit[] {
  const [from, to] = [regionOf(base, name), regionOf(variant, name)];
  if (from === null || to === null) return [];
  const [one, other] = [branch('base', base, from, to), branch('variant', variant, to, to)];
  const attributes = { then_branch: graphValue(one.graph), else_branch: graphValue(other.graph) };
  return [
    {
      remove: to.nodes,
      nodes: [nodeOf('If', [choice], [to.output], { attributes })],
      initializers: [...one.around, ...other.around],
    },
  ];
}

/**
 * A form of a layer as a subgraph that reads the input of `to`; all that it brings gets new names.
 * Its constants are given to the graph `around` it, where the runtime frees them once they are packed;
 * those of the QDQ form it would not find there.
 */
function branch(label: string, { model }: Decoder, from: Region, to: Region) {
  const constants = constantsOf(model, from.nodes);
  const own = new Set([
    ...from.nodes.flatMap(({ outputs }) => outputs),
    ...constants.map(({ name }) => name),
  ]);
  const nameOf = (name: string): string => {
    if (name === from.input) return to.input;
    return own.has(name) ? `${label}/${name}` : name;
  };
  const renamed = constants.map((tensor) => ({ ...tensor, name: nameOf(tensor.name) }));
  const isQdq = from.nodes.some(({ opType }) => opType === 'DequantizeLinear');
  const graph: Graph = {
    name: `${label}/${to.output}`,
    nodes: from.nodes.map((node) => ({
      ...node,
      name: `${label}/${node.name}`,
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
    })),
    inputs: [],
    outputs: [{ name: nameOf(from.output), type: null }],
    initializers: new Map(isQdq ? renamed.map((tensor) => [tensor.name, tensor]) : []),
    sparseInitializers: [],
    valueInfo: [],
  };
  return { graph, around: isQdq ? [] : renamed };
}

/** Lets a norm read the weight that is chosen. */
function normEdit(base: Decoder, variant: Decoder, name: string, choice: string): Edit {
  const norm = normsOf(variant).get(name);
  const before = normsOf(base).get(name);
  if (norm === undefined || before === undefined) throw new RangeError(`no such norm: ${name}`);
  const { node, weight } = norm;
  const graph = new GraphIndex(variant.model);
  const operand = node.inputs.find((input) => graph.weight(input) === weight) ?? '';
  const other = tensorOf(`base/${name}/weight`, before.weight.dims, readFloats(before.weight));
  const chosen = `${name}/weight`;
  return {
    remove: [node],
    nodes: [
      nodeOf('Where', [choice, other.name, operand], [chosen]),
      { ...node, inputs: node.inputs.map((input) => (input === operand ? chosen : input)) },
    ],
    initializers: [other],
  };
}
