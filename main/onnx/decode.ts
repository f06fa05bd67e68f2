import { decodeAttribute } from './attributeWire.ts';
import { emptyTexts, invalid, keep, type Context } from './context.ts';
import type { Attribute, Graph, LocalFunction, Model, Node, ValueInfo } from './model.ts';
import type { Kept, Wire } from './schema.ts';
import type { Tensor } from './tensor.ts';
import { decodeSparseTensor, decodeTensor } from './tensorWire.ts';
import { decodeType } from './typeWire.ts';

/** A model from its message. */
export function decodeModelMessage(wire: Wire<'Model'>, context: Context): Model {
  const { irVersion = 0n, producerName = '', producerVersion = '', ...others } = wire;
  const { graph, opsetImport = [], functions = [], trainingInfo = [], ...rest } = others;
  if (graph === undefined) throw invalid(context, wire, 'model without a graph');
  const { opsets, left } = decodeOpsets(opsetImport, context);
  return {
    irVersion: exact(irVersion, wire, context),
    opsets,
    producerName,
    producerVersion,
    graph: decodeGraph(graph, context),
    functions: functions.map((one) => decodeFunction(one, context)),
    training: trainingInfo.map(({ initialization, algorithm, ...kept }) => ({
      initialization: initialization === undefined ? null : decodeGraph(initialization, context),
      algorithm: algorithm === undefined ? null : decodeGraph(algorithm, context),
      ...keep(kept),
    })),
    ...keep({ ...rest, ...left, ...emptyTexts(wire) }),
  };
}

/** A graph from its message; names of constants are unique in it. */
export function decodeGraph(wire: Wire<'Graph'>, context: Context): Graph {
  const { node = [], name = '', initializer = [], sparseInitializer = [], ...others } = wire;
  const { input = [], output = [], valueInfo = [], ...rest } = others;
  const initializers = new Map<string, Tensor>();
  for (const one of initializer) {
    const tensor = decodeTensor(one, context);
    if (initializers.has(tensor.name)) {
      const reason = `two constants have one name: ${tensor.name}`;
      throw invalid(context, one, reason, { tensor: tensor.name });
    }
    initializers.set(tensor.name, tensor);
  }
  return {
    name,
    nodes: node.map((one) => decodeNode(one, context)),
    initializers,
    sparseInitializers: sparseInitializer.map((one) => decodeSparseTensor(one, context)),
    inputs: input.map((one) => decodeValueInfo(one, context)),
    outputs: output.map((one) => decodeValueInfo(one, context)),
    valueInfo: valueInfo.map((one) => decodeValueInfo(one, context)),
    ...keep({ ...rest, ...emptyTexts(wire) }),
  };
}

function decodeFunction(wire: Wire<'Function'>, context: Context): LocalFunction {
  const { name = '', domain = '', overload = '', input = [], output = [], ...others } = wire;
  const { attribute = [], attributeProto = [], node = [], opsetImport = [], ...more } = others;
  const { valueInfo = [], ...rest } = more;
  const { opsets, left } = decodeOpsets(opsetImport, context);
  return {
    name,
    domain,
    overload,
    inputs: input,
    outputs: output,
    attributes: attribute,
    defaults: decodeAttributes(attributeProto, context, name),
    nodes: node.map((one) => decodeNode(one, context)),
    opsets,
    valueInfo: valueInfo.map((one) => decodeValueInfo(one, context)),
    ...keep({ ...rest, ...left, ...emptyTexts(wire) }),
  };
}

function decodeNode(wire: Wire<'Node'>, context: Context): Node {
  const { input = [], output = [], name = '', opType = '', domain = '', ...others } = wire;
  const { overload = '', attribute = [], ...rest } = others;
  const attributes = decodeAttributes(attribute, context, name);
  return {
    name,
    opType,
    domain,
    overload,
    inputs: input,
    outputs: output,
    attributes,
    ...keep({ ...rest, ...emptyTexts(wire) }),
  };
}

function decodeAttributes(
  wires: readonly Wire<'Attribute'>[],
  context: Context,
  node: string,
): Map<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  for (const wire of wires) {
    const attribute = decodeAttribute(wire, context);
    if (attributes.has(attribute.name)) {
      throw invalid(context, wire, `two attributes have one name: ${attribute.name}`, { node });
    }
    attributes.set(attribute.name, attribute);
  }
  return attributes;
}

function decodeValueInfo(wire: Wire<'ValueInfo'>, context: Context): ValueInfo {
  const { name = '', type, ...rest } = wire;
  return { name, type: type === undefined ? null : decodeType(type, context), ...keep(rest) };
}

function decodeOpsets(
  wires: readonly Wire<'OperatorSetId'>[],
  context: Context,
): { opsets: Map<string, number>; left: { opsetImport?: Kept<'OperatorSetId'>[] } } {
  const opsets = new Map<string, number>();
  const remains: Wire<'OperatorSetId'>[] = [];
  for (const wire of wires) {
    const { domain = '', version = 0n, ...rest } = wire;
    if (opsets.has(domain)) {
      throw invalid(context, wire, `operator set imported twice: ${domain || 'ai.onnx'}`);
    }
    opsets.set(domain, exact(version, wire, context));
    remains.push({ ...rest, ...emptyTexts(wire) });
  }
  const anything = remains.some((rest) => Object.keys(rest).length > 0);
  return { opsets, left: anything ? { opsetImport: remains } : {} };
}

/** An int64 that a number holds exactly, so that writing gives it back. */
function exact(value: bigint, wire: object, context: Context): number {
  if (Number.isSafeInteger(Number(value))) return Number(value);
  throw invalid(context, wire, `version beyond 2^53: ${value}`);
}
