import { encodeAttribute } from './attributeWire.ts';
import type { Graph, LocalFunction, Model, Node, ValueInfo } from './model.ts';
import type { Wire } from './schema.ts';
import type { Tensor } from './tensor.ts';
import { encodeSparseTensor } from './tensorWire.ts';
import { encodeType } from './typeWire.ts';

/** How the constants of a graph are written: inside the message, or beside the file. */
export type EncodeConstant = (tensor: Tensor) => Wire<'Tensor'>;

/** The message of a model. */
export function encodeModelMessage(model: Model, constant: EncodeConstant): Wire<'Model'> {
  const { kept, producerName, producerVersion } = model;
  return {
    ...kept,
    irVersion: BigInt(model.irVersion),
    ...text('producerName', producerName),
    ...text('producerVersion', producerVersion),
    graph: encodeGraph(model.graph, constant),
    ...many('opsetImport', encodeOpsets(model.opsets, kept?.opsetImport)),
    ...many(
      'trainingInfo',
      model.training.map(({ initialization, algorithm, kept: rest }) => ({
        ...rest,
        ...(initialization === null
          ? {}
          : { initialization: encodeGraph(initialization, constant) }),
        ...(algorithm === null ? {} : { algorithm: encodeGraph(algorithm, constant) }),
      })),
    ),
    ...many(
      'functions',
      model.functions.map((one) => encodeFunction(one, constant)),
    ),
  };
}

/** The message of a graph. */
export function encodeGraph(graph: Graph, constant: EncodeConstant): Wire<'Graph'> {
  return {
    ...graph.kept,
    ...many(
      'node',
      graph.nodes.map((node) => encodeNode(node, constant)),
    ),
    ...text('name', graph.name),
    ...many(
      'initializer',
      [...graph.initializers].map(([name, tensor]) => ({ ...constant(tensor), name })),
    ),
    ...many('input', graph.inputs.map(encodeValueInfo)),
    ...many('output', graph.outputs.map(encodeValueInfo)),
    ...many('valueInfo', graph.valueInfo.map(encodeValueInfo)),
    ...many('sparseInitializer', graph.sparseInitializers.map(encodeSparseTensor)),
  };
}

function encodeFunction(one: LocalFunction, constant: EncodeConstant): Wire<'Function'> {
  return {
    ...one.kept,
    ...text('name', one.name),
    ...many('input', one.inputs),
    ...many('output', one.outputs),
    ...many('attribute', one.attributes),
    ...many(
      'node',
      one.nodes.map((node) => encodeNode(node, constant)),
    ),
    ...many('opsetImport', encodeOpsets(one.opsets, one.kept?.opsetImport)),
    ...text('domain', one.domain),
    ...many(
      'attributeProto',
      [...one.defaults.values()].map((value) => encodeAttribute(value, constant)),
    ),
    ...many('valueInfo', one.valueInfo.map(encodeValueInfo)),
    ...text('overload', one.overload),
  };
}

function encodeNode(node: Node, constant: EncodeConstant): Wire<'Node'> {
  return {
    ...node.kept,
    ...many('input', node.inputs),
    ...many('output', node.outputs),
    ...text('name', node.name),
    ...text('opType', node.opType),
    ...many(
      'attribute',
      [...node.attributes.values()].map((value) => encodeAttribute(value, constant)),
    ),
    ...text('domain', node.domain),
    ...text('overload', node.overload),
  };
}

function encodeValueInfo({ name, type, kept }: ValueInfo): Wire<'ValueInfo'> {
  return { ...kept, name, ...(type === null ? {} : { type: encodeType(type) }) };
}

/** The default domain is written as an empty string, as ONNX's own helpers do. */
function encodeOpsets(
  opsets: ReadonlyMap<string, number>,
  left: readonly Wire<'OperatorSetId'>[] = [],
): Wire<'OperatorSetId'>[] {
  return [...opsets].map(([domain, version], index) => ({
    ...left[index],
    domain,
    version: BigInt(version),
  }));
}

/** A text that is absent when empty. */
function text<K extends string>(key: K, value: string): { [P in K]?: string } {
  return (value === '' ? {} : { [key]: value }) as { [P in K]?: string };
}

/** A list that is absent when empty. */
function many<K extends string, T>(key: K, values: readonly T[]): { [P in K]?: T[] } {
  return (values.length === 0 ? {} : { [key]: [...values] }) as { [P in K]?: T[] };
}
