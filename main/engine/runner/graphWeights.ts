import { dataTypes } from '../../onnx/dataTypes.ts';
import type { Model, Node } from '../../onnx/model.ts';
import { elementCount, type Tensor } from '../../onnx/tensor.ts';

/** What the constants of a graph amount to. */
export interface WeightCount {
  /** Weights, however they are packed; scales, zero points and tables of angles are none. */
  readonly parameters: number;
  /** The type that stores most weights: `float32`, `int4`, … */
  readonly precision: string;
  /** Bytes in memory: 16-bit floats are widened when the runtime loads them. */
  readonly bytes: number;
}

/** Inputs of operators that say how to read a weight, or where a token stands. */
const helpers = new Map<string, readonly number[]>([
  ['MatMulNBits', [2, 3, 4]],
  ['GatherBlockQuantized', [2, 3]],
  ['DequantizeLinear', [1, 2]],
  ['QuantizeLinear', [1, 2]],
  ['DynamicQuantizeMatMul', [2, 3]],
  ['MatMulInteger', [2, 3]],
  ['MatMulIntegerToFloat', [2, 3, 4, 5]],
  ['QLinearMatMul', [1, 2, 4, 5, 6, 7]],
  ['GroupQueryAttention', [7, 8]],
  ['RotaryEmbedding', [2, 3]],
]);

/** Tables of angles, as Lathe and exporters name them. */
const angles = /^rope\.|(?:cos|sin)_cache|inv_freq|rotary/;

const countedTypes = new Set<string>(
  Object.keys(dataTypes).filter((type) => !/^(?:u?int(?:16|32|64)|bool|string)$/.test(type)),
);

/** Counts the weights of a graph, packed ones by what they stand for. */
export function countWeights({ graph }: Model): WeightCount {
  const packed = new Map<string, { count: number; type: string }>();
  const ignored = new Set<string>();
  for (const node of graph.nodes) {
    for (const input of helpers.get(node.opType) ?? []) ignored.add(node.inputs[input] ?? '');
    const weights = packedBy(node, graph.initializers);
    if (weights !== null) packed.set(weights.name, weights);
  }
  const perType = new Map<string, number>();
  let bytes = 0;
  for (const tensor of graph.initializers.values()) {
    bytes += tensor.bytes.length * (isHalf(tensor) ? 2 : 1);
    if (ignored.has(tensor.name) || angles.test(tensor.name)) continue;
    const known = packed.get(tensor.name);
    const count = known?.count ?? elementCount(tensor.dims);
    if (count < 2 || (known === undefined && !countedTypes.has(tensor.dataType))) continue;
    const type = known?.type ?? tensor.dataType;
    perType.set(type, (perType.get(type) ?? 0) + count);
  }
  const [most] = [...perType].toSorted(([, a], [, b]) => b - a);
  const parameters = [...perType.values()].reduce((sum, count) => sum + count, 0);
  return { parameters, precision: most?.[0] ?? 'none', bytes };
}

const isHalf = ({ dataType }: Tensor): boolean => dataType === 'float16' || dataType === 'bfloat16';

/** The weights that a node keeps several to a byte. */
function packedBy(
  node: Node,
  initializers: ReadonlyMap<string, Tensor>,
): { name: string; count: number; type: string } | null {
  const number = (name: string, standard: number): number => {
    const attribute = node.attributes.get(name);
    return attribute?.kind === 'int' ? Number(attribute.value) : standard;
  };
  if (node.opType === 'MatMulNBits') {
    const count = number('K', 0) * number('N', 0);
    return { name: node.inputs[1], count, type: `int${number('bits', 4)}` };
  }
  if (node.opType === 'GatherBlockQuantized') {
    const table = initializers.get(node.inputs[0]);
    if (table?.dataType !== 'uint8') return null;
    const bits = number('bits', 4);
    const count = (elementCount(table.dims) * 8) / bits;
    return { name: table.name, count, type: `int${bits}` };
  }
  return null;
}
