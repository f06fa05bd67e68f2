import type { StepOf } from '../../preload/contract/recipe.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import type { GridName } from '../numeric/quantization/grid.ts';
import { packQdq } from '../numeric/quantization/packing.ts';
import {
  groupsPerRow,
  type Quantized,
  type ZeroPoints,
} from '../numeric/quantization/quantized.ts';
import { int } from '../onnx/attributes.ts';
import type { Node } from '../onnx/model.ts';
import { lazyTensor, tensorOf, type Tensor } from '../onnx/tensor.ts';
import { MICROSOFT, nodeOf, type Edit } from './edit.ts';
import { linearEdit, type FloatLinear } from './linear.ts';
import { packSlices } from './rowSlices.ts';

/** How a layer is stored in blocks. */
export type BlockwiseOptions = Pick<
  StepOf<'quantize-rtn'>,
  'bits' | 'groupSize' | 'accuracy' | 'format'
>;

/** The runtime's own grid: what round-to-nearest and the methods that improve on it share. */
export const gridOf = (symmetric: boolean): GridName =>
  symmetric ? 'ort-symmetric' : 'ort-asymmetric';

/** Bytes of a layer in blocks: codes, float32 scales and zero points. */
export function blockwiseBytes(
  { rows, columns }: { rows: number; columns: number },
  { bits, groupSize, format }: Pick<BlockwiseOptions, 'bits' | 'groupSize' | 'format'>,
  zeroPoints: ZeroPoints['kind'],
): number {
  const blocks = Math.ceil(columns / groupSize);
  if (format === 'qdq') {
    const stored = Math.max(4, bits);
    return (
      Math.ceil((rows * columns * stored) / 8) + 4 * rows * blocks + (rows * blocks * stored) / 8
    );
  }
  const zeros = { midpoint: 0, integer: Math.ceil((blocks * bits) / 8), float: 4 * blocks };
  return rows * ((blocks * groupSize * bits) / 8 + 4 * blocks + zeros[zeroPoints]);
}

/** A layer as an edit puts it into the graph, and what its constants take. */
export interface StoredLinear {
  readonly edit: Edit;
  readonly bytes: number;
}

/** The name that the constants of a layer begin with; a tied head gets one of its own. */
export function constantName({ name, weight, shared }: FloatLinear): string {
  return shared ? `${name}.weight` : weight.name;
}

/** Stores a layer in blocks, in the format asked for; its bias stays. */
export async function storeBlocks(
  linear: FloatLinear,
  quantized: Quantized,
  options: Pick<BlockwiseOptions, 'accuracy' | 'format'>,
  signal: AbortSignal,
): Promise<StoredLinear> {
  await nextTurn(signal);
  return options.format === 'qdq'
    ? storeQdq(linear, quantized)
    : storeMatMulNBits(linear, quantized, options.accuracy, signal);
}

/** The accuracy level of MatMulNBits, always written: left open, it is the runtime's to choose. */
export const accuracyLevel = (accuracy: BlockwiseOptions['accuracy']): number =>
  accuracy === 'fast' ? 4 : 1;

async function storeMatMulNBits(
  linear: FloatLinear,
  quantized: Quantized,
  accuracy: BlockwiseOptions['accuracy'],
  signal: AbortSignal,
): Promise<StoredLinear> {
  const { rows, columns } = linear;
  const { bits, blockSize, blocks, codes, scales, zeroPoints } = await packSlices(
    quantized,
    signal,
  );
  const name = constantName(linear);
  const initializers = [
    tensorOf(`${name}.codes`, [rows, blocks, (blockSize * bits) / 8], codes),
    tensorOf(`${name}.scales`, [rows, blocks], scales),
  ];
  const inputs = [linear.input, `${name}.codes`, `${name}.scales`];
  if (zeroPoints !== null) {
    const dims = [rows, zeroPoints.length / rows];
    initializers.push(tensorOf(`${name}.zero_points`, dims, zeroPoints));
  }
  if (zeroPoints !== null || linear.bias !== null) {
    inputs.push(zeroPoints === null ? '' : `${name}.zero_points`);
  }
  if (linear.bias !== null) inputs.push('', linear.bias.name);
  const node = nodeOf('MatMulNBits', inputs, [linear.output], {
    attributes: {
      K: int(columns),
      N: int(rows),
      bits: int(bits),
      block_size: int(blockSize),
      accuracy_level: int(accuracyLevel(accuracy)),
    },
    domain: MICROSOFT,
  });
  return storedLinear(linear, [node], initializers);
}

/** DequantizeLinear with blocks along K over a weight [K, N], then MatMul (opset 21). */
function storeQdq(linear: FloatLinear, quantized: Quantized): StoredLinear {
  const { rows, columns } = linear;
  const name = constantName(linear);
  const packed = packQdq(quantized, quantized.zeroPoints.kind === 'midpoint');
  const blocks = groupsPerRow(quantized);
  const initializers = [
    lazyTensor(`${name}.codes`, packed.dataType, [columns, rows], () => packed.codes),
    tensorOf(`${name}.scales`, [blocks, rows], packed.scales),
    lazyTensor(`${name}.zero_points`, packed.dataType, [blocks, rows], () => packed.zeroPoints),
  ];
  const weight = `${name}.dequantized`;
  const product = linear.bias === null ? linear.output : `${linear.output}/product`;
  const nodes = [
    nodeOf(
      'DequantizeLinear',
      initializers.map((tensor) => tensor.name),
      [weight],
      { attributes: { axis: int(0), block_size: int(quantized.groupSize) } },
    ),
    nodeOf('MatMul', [linear.input, weight], [product]),
  ];
  return storedLinear(linear, [...nodes, ...biasNodes(linear, product)], initializers);
}

/** The sum with the bias, where there is one. */
export function biasNodes({ bias, output }: FloatLinear, product: string): Node[] {
  return bias === null ? [] : [nodeOf('Add', [product, bias.name], [output])];
}

/** The edit that puts `nodes` in the place of a layer's; a bias stays under its name. */
export function storedLinear(
  linear: FloatLinear,
  nodes: readonly Node[],
  initializers: readonly Tensor[],
): StoredLinear {
  const bytes = initializers.reduce((sum, tensor) => sum + tensor.bytes.length, 0);
  return { edit: linearEdit(linear, { nodes, initializers }), bytes };
}
