import { LatheError } from '../../preload/contract/errors.ts';
import { unpackCodes, type PackedBits } from '../numeric/quantization/packing.ts';
import type { Node } from '../onnx/model.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import { dataTypes } from '../onnx/dataTypes.ts';
import { isFloatTensor, readFloats } from './linear.ts';

/** Real numbers of some shape, row-major, computed when they are read. */
export interface Floats {
  readonly dims: readonly number[];
  readonly read: () => Float32Array;
}

/** Codes in blocks along the last axis, as MatMulNBits and GatherBlockQuantized hold them. */
export interface BlockCodes {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly blockSize: number;
  readonly codes: Tensor;
  readonly scales: Tensor;
  /** Packed uint8, floats, or null for 2^(bits-1). */
  readonly zeroPoints: Tensor | null;
}

/** The weight [rows, columns] that the codes stand for. */
export function floatsOfBlocks(stored: BlockCodes): Floats {
  const { rows, columns, bits, blockSize } = stored;
  if (!isPacked(bits)) throw unreadable(`${stored.codes.name}, ${bits} bits`);
  const blocks = Math.ceil(columns / blockSize);
  return {
    dims: [rows, columns],
    read() {
      const codes = stored.codes.bytes.read();
      const scales = readFloats(stored.scales);
      const zeroPointAt = blockZeroPoints(stored, bits, blocks);
      const result = new Float32Array(rows * columns);
      const rowBytes = (blocks * blockSize * bits) / 8;
      for (let row = 0; row < rows; row++) {
        const bytes = codes.subarray(row * rowBytes, (row + 1) * rowBytes);
        const unpacked = unpackCodes(bytes, columns, bits);
        for (let block = 0; block < blocks; block++) {
          const scale = scales[row * blocks + block];
          const zeroPoint = zeroPointAt(row, block);
          const end = Math.min((block + 1) * blockSize, columns);
          for (let k = block * blockSize; k < end; k++) {
            result[row * columns + k] = Math.fround(unpacked[k] - zeroPoint) * scale;
          }
        }
      }
      return result;
    },
  };
}

function blockZeroPoints(
  { rows, zeroPoints }: BlockCodes,
  bits: PackedBits,
  blocks: number,
): (row: number, block: number) => number {
  if (zeroPoints === null) return () => 2 ** (bits - 1);
  if (isFloatTensor(zeroPoints)) {
    const values = readFloats(zeroPoints);
    return (row, block) => values[row * blocks + block];
  }
  const packed = zeroPoints.bytes.read();
  const rowBytes = packed.length / rows;
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  return (row, block) => {
    const byte = packed[row * rowBytes + Math.floor(block / perByte)];
    return (byte >> ((block % perByte) * bits)) & mask;
  };
}

const isPacked = (bits: number): bits is PackedBits => bits === 2 || bits === 4 || bits === 8;

/** What DequantizeLinear gives: per tensor, per index of an axis, or in blocks along it. */
export function floatsOfQdq(
  codes: Tensor,
  scales: Tensor,
  zeroPoints: Tensor | null,
  { axis, blockSize }: { axis: number; blockSize: number },
): Floats {
  const { dims } = codes;
  const along = axis < 0 ? axis + dims.length : axis;
  const inner = elementCount(dims.slice(along + 1));
  const length = dims[along] ?? 1;
  const blocks = blockSize > 0 ? Math.ceil(length / blockSize) : length;
  /** Which scale belongs to an element. */
  const place = (index: number): number => {
    if (elementCount(scales.dims) === 1) return 0;
    const at = Math.floor(index / inner) % length;
    if (blockSize === 0) return at;
    const outer = Math.floor(index / (inner * length));
    return (outer * blocks + Math.floor(at / blockSize)) * inner + (index % inner);
  };
  return {
    dims,
    read() {
      const values = integers(codes);
      const scale = readFloats(scales);
      const zeros = zeroPoints === null ? null : integers(zeroPoints);
      return Float32Array.from(values, (value, index) => {
        const at = place(index);
        return Math.fround(value - (zeros?.[at] ?? 0)) * scale[at];
      });
    },
  };
}

/** The elements of a constant of small whole numbers. */
export function integers({ name, dataType, dims, bytes }: Tensor): Int16Array {
  const packed = bytes.read();
  switch (dataType) {
    case 'uint8':
      return Int16Array.from(packed);
    case 'int8':
      return Int16Array.from(packed, (byte) => (byte << 24) >> 24);
    case 'uint2':
    case 'uint4':
    case 'int2':
    case 'int4': {
      const { bits } = dataTypes[dataType];
      const codes = unpackCodes(packed, elementCount(dims), bits);
      const sign = dataType.startsWith('u') ? 0 : 32 - bits;
      return Int16Array.from(codes, (code) => (code << sign) >> sign);
    }
    default:
      throw unreadable(`${name}, ${dataType}`);
  }
}

/** left [n, r] · right [r, k], summed in float64. */
export function product(left: Floats, right: Floats): Floats {
  const [rows, rank] = left.dims;
  const columns = right.dims[1];
  return {
    dims: [rows, columns],
    read() {
      const [a, b] = [left.read(), right.read()];
      const result = new Float32Array(rows * columns);
      const sums = new Float64Array(columns);
      for (let row = 0; row < rows; row++) {
        sums.fill(0);
        for (let r = 0; r < rank; r++) {
          const factor = a[row * rank + r];
          for (let k = 0; k < columns; k++) sums[k] += factor * b[r * columns + k];
        }
        result.set(sums, row * columns);
      }
      return result;
    },
  };
}

/** [k, n] as [n, k]. */
export function transposed(matrix: Floats): Floats {
  const [rows, columns] = matrix.dims;
  return {
    dims: [columns, rows],
    read() {
      const source = matrix.read();
      const result = new Float32Array(source.length);
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < columns; k++) result[k * rows + row] = source[row * columns + k];
      }
      return result;
    },
  };
}

/** A layer in a form whose weights cannot be written down as one matrix. */
export function unreadable(value: string, node?: Node): LatheError {
  return new LatheError('graph_invalid', `a layer's weights cannot be read as a matrix: ${value}`, {
    value,
    ...(node && { node: node.name }),
  });
}
