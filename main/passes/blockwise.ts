import type { StepOf } from '../../preload/contract/recipe.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import type { GridName } from '../numeric/quantization/grid.ts';
import { packBlocks, packQdq } from '../numeric/quantization/packing.ts';
import {
  dequantize,
  groupsPerRow,
  zeroPointOf,
  type Quantized,
  type ZeroPoints,
} from '../numeric/quantization/quantized.ts';
import { int } from '../onnx/attributes.ts';
import type { Node } from '../onnx/model.ts';
import { lazyTensor, tensorOf, type Tensor } from '../onnx/tensor.ts';
import { MICROSOFT, nodeOf, type Edit } from './edit.ts';
import { linearEdit, type FloatLinear } from './linear.ts';

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

/** `packBlocks`, some rows at a time, so that a cancel is heard in time. */
export async function packSlices(
  quantized: Quantized,
  signal: AbortSignal,
): Promise<ReturnType<typeof packBlocks>> {
  const { rows } = quantized;
  const first = packBlocks(sliceRows(quantized, 0, 0));
  const { bits, blocks, blockSize } = first;
  const codeBytes = (blocks * blockSize * bits) / 8;
  const codes = new Uint8Array(rows * codeBytes);
  const parts: (Uint8Array | Float32Array | null)[] = [];
  for (const [from, to] of slices(quantized)) {
    await nextTurn(signal);
    const part = packBlocks(sliceRows(quantized, from, to));
    codes.set(part.codes, from * codeBytes);
    parts.push(part.zeroPoints);
  }
  return { ...first, codes, scales: quantized.scales, zeroPoints: joined(parts) };
}

function joined(
  parts: readonly (Uint8Array | Float32Array | null)[],
): Uint8Array | Float32Array | null {
  const length = parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
  if (length === 0) return null;
  const all = parts[0] instanceof Float32Array ? new Float32Array(length) : new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    if (part === null) continue;
    all.set(part, at);
    at += part.length;
  }
  return all;
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

/** Weights worked on between two turns of the event loop: a fifth of a second by the slowest method. */
const weightsAtATime = 2 ** 18;

/** Ranges of rows that together are all rows of a matrix. */
export function slices({ rows, columns }: { rows: number; columns: number }): [number, number][] {
  const step = Math.max(1, Math.floor(weightsAtATime / columns));
  return Array.from({ length: Math.ceil(rows / step) }, (_, index): [number, number] => [
    index * step,
    Math.min((index + 1) * step, rows),
  ]);
}

/** Rows `from` … `to` - 1 of a matrix, not copied. */
export function rowsOf(
  { columns, data }: Matrix<Float32Array>,
  from: number,
  to: number,
): Matrix<Float32Array> {
  return { rows: to - from, columns, data: data.subarray(from * columns, to * columns) };
}

function sliceRows(quantized: Quantized, from: number, to: number): Quantized {
  const { columns, codes, scales, zeroPoints } = quantized;
  const perRow = groupsPerRow(quantized);
  const [first, last] = [from * perRow, to * perRow];
  return {
    ...quantized,
    rows: to - from,
    codes: codes.subarray(from * columns, to * columns),
    scales: scales.subarray(first, last),
    zeroPoints: sliceZeroPoints(zeroPoints, first, last),
  };
}

function sliceZeroPoints(zeroPoints: ZeroPoints, first: number, last: number): ZeroPoints {
  switch (zeroPoints.kind) {
    case 'midpoint':
      return zeroPoints;
    case 'integer':
      return { kind: 'integer', values: zeroPoints.values.subarray(first, last) };
    case 'float':
      return { kind: 'float', values: zeroPoints.values.subarray(first, last) };
  }
}

/** A weight quantized, and what was lost. */
export interface QuantizedSlices {
  readonly quantized: Quantized;
  /** ‖W - Ŵ‖ / ‖W‖. */
  readonly error: number;
}

/** Quantizes a weight whose rows do not depend on each other, some rows at a time. */
export async function quantizeSlices(
  weight: Matrix<Float32Array>,
  signal: AbortSignal,
  quantize: (rows: Matrix<Float32Array>) => Quantized,
): Promise<QuantizedSlices> {
  const parts: Quantized[] = [];
  let power = 0;
  let noise = 0;
  for (const [from, to] of slices(weight)) {
    await nextTurn(signal);
    const rows = rowsOf(weight, from, to);
    const part = quantize(rows);
    const values = dequantize(part).data;
    for (let i = 0; i < values.length; i++) {
      power += rows.data[i] ** 2;
      noise += (rows.data[i] - values[i]) ** 2;
    }
    parts.push(part);
  }
  return { quantized: join(weight, parts), error: noise === 0 ? 0 : Math.sqrt(noise / power) };
}

function join({ rows, columns }: Matrix, parts: readonly Quantized[]): Quantized {
  const [first] = parts;
  if (parts.length === 1) return first;
  const perRow = groupsPerRow(first);
  const codes = new Uint8Array(rows * columns);
  const scales = new Float32Array(rows * perRow);
  const kind = parts.every(({ zeroPoints }) => zeroPoints.kind === 'midpoint')
    ? 'midpoint'
    : first.zeroPoints.kind === 'float'
      ? 'float'
      : 'integer';
  const zeros = kind === 'float' ? new Float32Array(scales.length) : new Uint8Array(scales.length);
  let row = 0;
  for (const part of parts) {
    codes.set(part.codes, row * columns);
    scales.set(part.scales, row * perRow);
    if (kind !== 'midpoint') {
      for (let i = 0; i < part.scales.length; i++) zeros[row * perRow + i] = zeroPointOf(part, i);
    }
    row += part.rows;
  }
  const zeroPoints: ZeroPoints =
    kind === 'midpoint'
      ? { kind }
      : zeros instanceof Float32Array
        ? { kind: 'float', values: zeros }
        : { kind: 'integer', values: zeros };
  return { ...first, rows, codes, scales, zeroPoints };
}
