import { LatheError } from '../../../preload/contract/errors.ts';
import { requireFinite, type Matrix } from '../linearAlgebra/matrix.ts';

/**
 * What a code stands for: weight = (code - zero point) · scale, one zero point per group.
 * `midpoint` is 2^(bits-1) for every group, which files leave out.
 */
export type ZeroPoints =
  | { readonly kind: 'midpoint' }
  | { readonly kind: 'integer'; readonly values: Uint8Array }
  | { readonly kind: 'float'; readonly values: Float32Array };

/**
 * A weight [rows, columns] = [N, K] in codes of `bits` bits. Groups are `groupSize` consecutive
 * input channels (along K) of one row; the last group of a row may be shorter.
 */
export interface Quantized {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly groupSize: number;
  /** [rows, columns], each 0 … 2^bits - 1, unpacked. */
  readonly codes: Uint8Array;
  /** [rows, groups]. */
  readonly scales: Float32Array;
  /** [rows, groups]. */
  readonly zeroPoints: ZeroPoints;
}

/** How finely a weight is cut. */
export interface Resolution {
  /** 2 … 8. */
  readonly bits: number;
  /** Input channels that share one scale; Infinity for one scale per row. */
  readonly groupSize: number;
}

/** Refuses bits and group sizes no method here can work with. */
export function checkResolution({ bits, groupSize }: Resolution): void {
  if (!Number.isInteger(bits) || bits < 2 || bits > 8) {
    throw new LatheError('usage', `bits must be a whole number from 2 to 8: ${bits}`);
  }
  if (groupSize !== Infinity && (!Number.isInteger(groupSize) || groupSize < 1)) {
    throw new LatheError('usage', `group size must be a whole number from 1: ${groupSize}`);
  }
}

/** An empty result for `weight`, with the groups asked for. Refuses NaN and infinity. */
export function prepareQuantized(
  weight: Matrix,
  resolution: Resolution,
  kind: 'integer' | 'float',
): Quantized & { readonly zeroPoints: { readonly values: Uint8Array | Float32Array } } {
  checkResolution(resolution);
  requireFinite(weight.data, 'weights');
  const { rows, columns } = weight;
  const groupSize = resolution.groupSize === Infinity ? Math.max(1, columns) : resolution.groupSize;
  const groups = rows * Math.ceil(columns / groupSize);
  return {
    rows,
    columns,
    bits: resolution.bits,
    groupSize,
    codes: new Uint8Array(rows * columns),
    scales: new Float32Array(groups),
    zeroPoints:
      kind === 'integer'
        ? { kind, values: new Uint8Array(groups) }
        : { kind, values: new Float32Array(groups) },
  };
}

/** Groups of one row. */
export function groupsPerRow({ columns, groupSize }: Quantized): number {
  return Math.ceil(columns / groupSize);
}

/** The zero point of group `index` (counted over all rows). */
export function zeroPointOf({ bits, zeroPoints }: Quantized, index: number): number {
  return zeroPoints.kind === 'midpoint' ? 2 ** (bits - 1) : zeroPoints.values[index];
}

/** (code - zero point) · scale in float32, [rows, columns]: what every consumer of the codes sees. */
export function dequantize(quantized: Quantized): Matrix<Float32Array> {
  const { rows, columns, groupSize, codes, scales } = quantized;
  const data = new Float32Array(rows * columns);
  const perRow = groupsPerRow(quantized);
  for (let row = 0; row < rows; row++) {
    for (let group = 0; group < perRow; group++) {
      const scale = scales[row * perRow + group];
      const zeroPoint = zeroPointOf(quantized, row * perRow + group);
      const end = row * columns + Math.min((group + 1) * groupSize, columns);
      for (let i = row * columns + group * groupSize; i < end; i++) {
        data[i] = Math.fround(codes[i] - zeroPoint) * scale;
      }
    }
  }
  return { rows, columns, data };
}

/** `midpoint` zero points where all integer ones lie there: files are smaller and kernels faster. */
export function withoutTrivialZeroPoints(quantized: Quantized): Quantized {
  const { bits, zeroPoints } = quantized;
  const trivial =
    zeroPoints.kind === 'integer' && zeroPoints.values.every((value) => value === 2 ** (bits - 1));
  return trivial ? { ...quantized, zeroPoints: { kind: 'midpoint' } } : quantized;
}

/**
 * The same weight in smaller groups of `groupSize`, each repeating its parent's parameters: for
 * kernels whose block size is limited. Refuses a size that does not divide the present one.
 */
export function splitGroups(quantized: Quantized, groupSize: number): Quantized {
  const { rows, columns, zeroPoints } = quantized;
  const perRow = groupsPerRow(quantized);
  if (perRow > 1 && quantized.groupSize % groupSize !== 0) {
    throw new LatheError(
      'usage',
      `groups of ${quantized.groupSize} cannot be split into groups of: ${groupSize}`,
    );
  }
  const newPerRow = Math.ceil(columns / groupSize);
  const spread = <T extends Float32Array | Uint8Array>(values: T, result: T): T => {
    for (let i = 0; i < result.length; i++) {
      const row = Math.floor(i / newPerRow);
      const parent = Math.floor(((i % newPerRow) * groupSize) / quantized.groupSize);
      result[i] = values[row * perRow + parent];
    }
    return result;
  };
  const count = rows * newPerRow;
  return {
    ...quantized,
    groupSize,
    scales: spread(quantized.scales, new Float32Array(count)),
    zeroPoints: spreadZeroPoints(),
  };

  function spreadZeroPoints(): ZeroPoints {
    switch (zeroPoints.kind) {
      case 'midpoint':
        return zeroPoints;
      case 'integer':
        return { kind: 'integer', values: spread(zeroPoints.values, new Uint8Array(count)) };
      case 'float':
        return { kind: 'float', values: spread(zeroPoints.values, new Float32Array(count)) };
    }
  }
}
