import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { packBlocks } from '../numeric/quantization/packing.ts';
import {
  dequantize,
  groupsPerRow,
  zeroPointOf,
  type Quantized,
  type ZeroPoints,
} from '../numeric/quantization/quantized.ts';

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
