import type { Node } from '../onnx/model.ts';
import type { Decoder } from '../passes/decoder.ts';
import { GraphIndex } from '../passes/graphIndex.ts';
import type { Linear } from '../passes/linear.ts';

/** Storage of a model as transformers.js names it, and how its file names end. */
export const dtypeSuffixes = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  q4: '_q4',
  q4f16: '_q4f16',
  q2: '_q2',
  q2f16: '_q2f16',
} as const;
export type Dtype = keyof typeof dtypeSuffixes;

/** The name of the storage that holds most weights of the linear layers. */
export function dtypeOf(decoder: Decoder): Dtype {
  const graph = new GraphIndex(decoder.model);
  const counts = new Map<Storage, number>();
  for (const linear of decoder.linears) {
    const storage = storageOf(graph, linear);
    counts.set(storage, (counts.get(storage) ?? 0) + linear.rows * linear.columns);
  }
  const [[most]] = [...counts].toSorted(([, a], [, b]) => b - a);
  const half = counts.has('fp16') || decoder.embedding.weight?.dataType === 'float16';
  return (most === 'q4' || most === 'q2') && half ? `${most}f16` : most;
}

type Storage = Exclude<Dtype, 'q4f16' | 'q2f16'>;

function storageOf(graph: GraphIndex, { nodes, weight }: Linear): Storage {
  if (weight !== null) return isHalf(weight.dataType) ? 'fp16' : 'fp32';
  for (const node of nodes) {
    const storage = storageIn(graph, node);
    if (storage !== null) return storage;
  }
  return 'fp32';
}

function storageIn(graph: GraphIndex, node: Node): Storage | null {
  const { opType, inputs, attributes } = node;
  if (opType === 'MatMulNBits') {
    const bits = attributes.get('bits');
    if (bits?.kind !== 'int') return 'q4';
    return bits.value === 8n ? 'q8' : bits.value === 2n ? 'q2' : 'q4';
  }
  const place = opType === 'DequantizeLinear' ? 0 : 1;
  switch (graph.weight(inputs[place] ?? '')?.dataType) {
    case 'uint4':
    case 'int4':
      return 'q4';
    case 'uint8':
      return 'uint8';
    case 'int8':
      return 'int8';
    case 'float16':
    case 'bfloat16':
      return 'fp16';
    default:
      return null;
  }
}

const isHalf = (dataType: string): boolean => dataType === 'float16' || dataType === 'bfloat16';
