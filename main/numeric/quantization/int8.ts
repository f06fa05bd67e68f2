import { LatheError } from '../../../preload/contract/errors.ts';
import { type Floats, type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';
import { clamp, roundHalfEven } from '../rounding.ts';

/** One scale and zero point: real = (quantized - zeroPoint) · scale. */
export interface ScaleZeroPoint {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The whole numbers an 8-bit tensor uses. */
export interface IntegerRange {
  readonly low: number;
  readonly high: number;
}

/**
 * Ranges by name. `uint8` is the one for weights on x64: without VNNI the kernels add pairs of
 * products in 16 saturating bits, and full `int8` weights come out wrong by 10 % and more.
 * `reduced` uses 7 of the 8 bits, which cannot saturate either.
 */
export const integerRanges = {
  uint8: { low: 0, high: 255 },
  int8: { low: -127, high: 127 },
  reduced: { low: -64, high: 64 },
} as const satisfies Record<string, IntegerRange>;

/**
 * Scale and zero point for reals from `least` to `greatest`, in onnxruntime's rule: the range is
 * widened to hold 0; symmetric widens it to ± the larger and puts the zero point in the middle. A
 * scale below the smallest normal float32 becomes 1 with zero point 0. float64, halves to even.
 */
export function computeScaleZeroPoint(
  least: number,
  greatest: number,
  { low, high }: IntegerRange,
  symmetric: boolean,
): ScaleZeroPoint {
  if (!Number.isFinite(least) || !Number.isFinite(greatest)) {
    throw new LatheError('values_not_finite', `a range must be finite: ${least} … ${greatest}`);
  }
  let from = Math.min(least, 0);
  let to = Math.max(greatest, 0);
  if (symmetric) {
    to = Math.max(-from, to);
    from = -to;
  }
  const scale = (to - from) / (high - low);
  if (scale < 2 ** -126) return { scale: 1, zeroPoint: 0 };
  const zeroPoint = symmetric ? (low + high) / 2 : low - from / scale;
  return { scale, zeroPoint: roundHalfEven(zeroPoint) + 0 };
}

/**
 * ONNX DynamicQuantizeLinear in float32, the reference for dynamic int8: range widened to hold 0,
 * scale = (max - min) / 255 (1 when all values are 0), halves to even, uint8.
 */
export function dynamicQuantizeLinear(
  values: Float32Array,
): ScaleZeroPoint & { readonly codes: Uint8Array } {
  requireFinite(values, 'activations');
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  const scale = high === low ? 1 : Math.fround(Math.fround(high - low) / 255);
  const zeroPoint = clamp(roundHalfEven(Math.fround(-low / scale)), 0, 255) + 0;
  const codes = Uint8Array.from(values, (value) =>
    clamp(roundHalfEven(Math.fround(value / scale)) + zeroPoint, 0, 255),
  );
  return { scale, zeroPoint, codes };
}

/** A weight in 8 bits with one symmetric scale per output channel. */
export interface ChannelQuantized {
  readonly rows: number;
  readonly columns: number;
  /** [N, K]; uint8 codes are stored as they are, signed ones in an Int8Array. */
  readonly codes: Uint8Array | Int8Array;
  /** [N]. */
  readonly scales: Float32Array;
  /** The same for all channels. */
  readonly zeroPoint: number;
}

/**
 * Weights [N, K] for MatMulInteger and static QDQ: per output channel, symmetric, as QuantizeLinear
 * rounds (halves to even, saturating). An all-zero row has scale 1 and codes at the zero point.
 */
export function quantizeChannels(
  { rows, columns, data }: Matrix,
  range: keyof typeof integerRanges,
): ChannelQuantized {
  requireFinite(data, 'weights');
  const { low, high } = integerRanges[range];
  const zeroPoint = range === 'uint8' ? 128 : 0;
  const codes = range === 'uint8' ? new Uint8Array(data.length) : new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let extreme = 0;
    for (let i = start; i < start + columns; i++) extreme = Math.max(extreme, Math.abs(data[i]));
    const { scale } = computeScaleZeroPoint(-extreme, extreme, { low, high }, true);
    scales[row] = scale;
    for (let i = start; i < start + columns; i++) {
      codes[i] = clamp(roundHalfEven(data[i] / scales[row]) + zeroPoint, low, high);
    }
  }
  return { rows, columns, codes, scales, zeroPoint };
}

/** (code - zero point) · scale, [N, K], float32. */
export function dequantizeChannels(quantized: ChannelQuantized): Matrix<Float32Array> {
  const { rows, columns, codes, scales, zeroPoint } = quantized;
  const data = new Float32Array(codes.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = (codes[i] - zeroPoint) * scales[Math.floor(i / columns)];
  }
  return { rows, columns, data };
}

/** A bias [N] as int32 with scale s_a · s_w of its channel and zero point 0, saturating. */
export function quantizeBias(
  bias: Floats,
  activationScale: number,
  weightScales: Floats,
): Int32Array {
  requireFinite(bias, 'a bias');
  return Int32Array.from(bias, (value, i) =>
    clamp(roundHalfEven(value / (activationScale * weightScales[i])), -(2 ** 31), 2 ** 31 - 1),
  );
}
