import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import {
  dequantizeChannels,
  quantizeChannels,
  type ChannelQuantized,
} from '../numeric/quantization/int8.ts';
import { weightError } from '../numeric/quantization/errors.ts';
import { tensorOf, type Tensor } from '../onnx/tensor.ts';
import { constantName } from './blockwise.ts';
import { rowsOf, slices } from './rowSlices.ts';
import type { FloatLinear } from './linear.ts';

/** A layer's weight in 8 bits, as the constants of a graph. */
export interface IntegerWeight {
  /** [K, N], uint8 with zero point 128, or int8 with 0. */
  readonly codes: Tensor;
  /** [N], or one for the whole matrix. */
  readonly scales: Tensor;
  /** One for the whole matrix. */
  readonly zeroPoint: Tensor;
  /** ‖W - Ŵ‖ / ‖W‖. */
  readonly error: number;
}

/** Quantizes a weight [N, K] to 8 bits, symmetric, and turns it as a product wants it. */
export async function integerWeight(
  linear: FloatLinear,
  weight: Matrix<Float32Array>,
  { range, perChannel }: { range: 'uint8' | 'reduced'; perChannel: boolean },
  signal: AbortSignal,
): Promise<IntegerWeight> {
  const { rows, columns } = weight;
  const name = constantName(linear);
  const codes = range === 'uint8' ? new Uint8Array(rows * columns) : new Int8Array(rows * columns);
  const scales = new Float32Array(perChannel ? rows : 1);
  const whole = perChannel ? null : quantizeChannels(flat(weight), range);
  let power = 0;
  let noise = 0;
  for (const [from, to] of slices(weight)) {
    await nextTurn(signal);
    const some = rowsOf(weight, from, to);
    const part = whole === null ? quantizeChannels(some, range) : cut(whole, from * columns, some);
    for (let row = from; row < to; row++) {
      if (whole === null) scales[row] = part.scales[row - from];
      for (let k = 0; k < columns; k++) {
        codes[k * rows + row] = part.codes[(row - from) * columns + k];
      }
    }
    const values = dequantizeChannels(part);
    const { meanSquare } = weightError(some.data, values.data);
    noise += meanSquare * some.data.length;
    for (const value of some.data) power += value * value;
  }
  if (whole !== null) scales[0] = whole.scales[0];
  const zero = range === 'uint8' ? Uint8Array.of(128) : Int8Array.of(0);
  return {
    codes: tensorOf(`${name}.codes`, [columns, rows], codes),
    scales: tensorOf(`${name}.scales`, perChannel ? [rows] : [], scales),
    zeroPoint: tensorOf(`${name}.zero_point`, [], zero),
    error: noise === 0 ? 0 : Math.sqrt(noise / power),
  };
}

const flat = ({ rows, columns, data }: Matrix): Matrix => ({
  rows: 1,
  columns: rows * columns,
  data,
});

/** Rows of a matrix that was quantized with one scale. */
function cut(whole: ChannelQuantized, start: number, { rows, columns }: Matrix): ChannelQuantized {
  return {
    rows,
    columns,
    zeroPoint: whole.zeroPoint,
    codes: whole.codes.subarray(start, start + rows * columns),
    scales: new Float32Array(rows).fill(whole.scales[0]),
  };
}

/** Bytes of a layer in 8 bits. */
export function integerBytes({ rows, columns }: FloatLinear, perChannel: boolean): number {
  return rows * columns + 4 * (perChannel ? rows : 1) + 1;
}
