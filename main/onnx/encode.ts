import { encodeAttribute } from './attributeWire.ts';
import type { Graph, LocalFunction, Model, Node, ValueInfo } from './model.ts';
import type { Wire } from './schema.ts';
import type { Tensor } from './tensor.ts';
import { encodeSparseTensor } from './tensorWire.ts';
import { encodeType } from './typeWire.ts';

/** How the constants of a graph are written: inside the message, or beside the file. */
export type EncodeConstant = (tensor: Tensor) => Wire<'Tensor'>;

/** The message of a model. An empty text is written only where the file gave it empty (`kept`). */
export function encodeModelMessage(model: Model, constant: EncodeConstant): Wire<'Model'> {
  const { kept } = model;
  const graphOf = (graph: Graph | null): Wire<'Graph'> | undefined =>
    graph === null ? undefined : encodeGraph(graph, constant);
  return {
    ...kept,
    irVersion: BigInt(model.irVersion),
    producerName: model.producerName || kept?.producerName,
    producerVersion: model.producerVersion || kept?.producerVersion,
    graph: encodeGraph(model.graph, constant),
    opsetImport: encodeOpsets(model.opsets, kept?.opsetImport),
    trainingInfo: model.training.map((one) => ({
      ...one.kept,
      initialization: graphOf(one.initialization),
      algorithm: graphOf(one.algorithm),
    })),
    functions: model.functions.map((one) => encodeFunction(one, constant)),
  };
}

/** The message of a graph. */
export function encodeGraph(graph: Graph, constant: EncodeConstant): Wire<'Graph'> {
  const { kept } = graph;
  return {
    ...kept,
    node: graph.nodes.map((node) => encodeNode(node, constant)),
    name: graph.name || kept?.name,
    initializer: [...graph.initializers].map(([name, tensor]) => ({ ...constant(tensor), name })),
    input: graph.inputs.map(encodeValueInfo),
    output: graph.outputs.map(encodeValueInfo),
    valueInfo: graph.valueInfo.map(encodeValueInfo),
    sparseInitializer: graph.sparseInitializers.map(encodeSparseTensor),
  };
}

function encodeFunction(one: LocalFunction, constant: EncodeConstant): Wire<'Function'> {
  const { kept } = one;
  return {
    ...kept,
    name: one.name || kept?.name,
    input: [...one.inputs],
    output: [...one.outputs],
    attribute: [...one.attributes],
    node: one.nodes.map((node) => encodeNode(node, constant)),
    opsetImport: encodeOpsets(one.opsets, kept?.opsetImport),
    domain: one.domain || kept?.domain,
    attributeProto: [...one.defaults.values()].map((value) => encodeAttribute(value, constant)),
    valueInfo: one.valueInfo.map(encodeValueInfo),
    overload: one.overload || kept?.overload,
  };
}

function encodeNode(node: Node, constant: EncodeConstant): Wire<'Node'> {
  const { kept } = node;
  return {
    ...kept,
    input: [...node.inputs],
    output: [...node.outputs],
    name: node.name || kept?.name,
    opType: node.opType || kept?.opType,
    attribute: [...node.attributes.values()].map((value) => encodeAttribute(value, constant)),
    domain: node.domain || kept?.domain,
    overload: node.overload || kept?.overload,
  };
}

function encodeValueInfo({ name, type, kept }: ValueInfo): Wire<'ValueInfo'> {
  return {
    ...kept,
    name: name || kept?.name,
    type: type === null ? undefined : encodeType(type),
  };
}

function encodeOpsets(
  opsets: ReadonlyMap<string, number>,
  left: readonly Wire<'OperatorSetId'>[] = [],
): Wire<'OperatorSetId'>[] {
  return [...opsets].map(([domain, version], index) => ({
    ...left[index],
    domain: domain || left[index]?.domain,
    version: BigInt(version),
  }));
}
