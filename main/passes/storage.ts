import type { Model, Node } from '../onnx/model.ts';
import type { GraphIndex } from './graphIndex.ts';
import type { Linear } from './linear.ts';

/** Bytes of a layer, scales and zero points included, and bits per weight. */
export function storedSize(
  { graph }: Model,
  { nodes, rows, columns }: Linear,
): { bytes: number; bits: number } {
  const constants = new Set(nodes.flatMap(({ inputs }) => inputs));
  let bytes = 0;
  for (const constant of constants) bytes += graph.initializers.get(constant)?.bytes.length ?? 0;
  return { bytes, bits: (8 * bytes) / (rows * columns) };
}

/** How a layer is stored, in words: `int4 in groups of 32`. */
export function storageOf(graph: GraphIndex, { nodes, weight }: Linear): string {
  if (weight !== null) return weight.dataType;
  const words = nodes.flatMap((node) => wordsOf(graph, node));
  const [only, ...more] = new Set(words);
  if (only === undefined) return nodes.map(({ opType }) => opType).join(', ');
  const factors = nodes.filter(({ opType }) => products.has(opType)).length;
  const all = [only, ...more].join(' and ');
  return factors > 1 && !nodes.some(({ opType }) => opType === 'Concat')
    ? `${factors} factors, ${all}`
    : all;
}

const products = new Set(['MatMul', 'FusedMatMul', 'MatMulNBits', 'MatMulInteger', 'Gemm']);

function wordsOf(graph: GraphIndex, node: Node): string[] {
  const number = (name: string, standard: number): number => {
    const attribute = node.attributes.get(name);
    return attribute?.kind === 'int' ? Number(attribute.value) : standard;
  };
  const constant = graph.weight(node.inputs[1] ?? '');
  switch (node.opType) {
    case 'MatMulNBits':
      return [`int${number('bits', 4)} in groups of ${number('block_size', 0)}`];
    case 'MatMulInteger':
      return [`${constant?.dataType ?? 'int8'}, activations rounded as they come`];
    case 'DequantizeLinear': {
      const codes = graph.weight(node.inputs[0]);
      if (codes === null) return [];
      const size = number('block_size', 0);
      return [
        size === 0 ? `${codes.dataType} (QDQ)` : `${codes.dataType} in groups of ${size} (QDQ)`,
      ];
    }
    case 'MatMul':
    case 'FusedMatMul':
    case 'Gemm':
      return constant === null ? [] : [constant.dataType];
    default:
      return [];
  }
}
