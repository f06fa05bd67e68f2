import { dataTypes, type DataType } from './dataTypes.ts';
import type { Kept, Payload } from './schema.ts';

/** The elements of a tensor as little-endian bytes, row-major; read only when asked for. */
export interface TensorBytes extends Payload {
  /** Set where a file stores the elements as a protobuf list instead: written back as found. */
  readonly packed?: { readonly field: PackedField; readonly payload: Payload };
}

/** TensorProto's typed lists. */
export const packedFields = [
  'floatData',
  'int32Data',
  'int64Data',
  'doubleData',
  'uint64Data',
] as const;

/** One of them. */
export type PackedField = (typeof packedFields)[number];

/** A named constant. Types under 8 bits are packed, first element in the lowest bits. */
export interface Tensor {
  readonly name: string;
  readonly dataType: DataType;
  readonly dims: readonly number[];
  /** Empty for strings. */
  readonly bytes: TensorBytes;
  /** The elements of a tensor of strings. */
  readonly strings?: readonly Uint8Array[];
  readonly kept?: Kept<'Tensor'>;
}

/** Non-zero elements of a tensor and where they stand. */
export interface SparseTensor {
  readonly values: Tensor;
  readonly indices: Tensor;
  readonly dims: readonly number[];
  readonly kept?: Kept<'SparseTensor'>;
}

type ElementArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

const arrayTypes = new Map<unknown, DataType>([
  [Float32Array, 'float32'],
  [Float64Array, 'float64'],
  [BigInt64Array, 'int64'],
  [BigUint64Array, 'uint64'],
  [Int32Array, 'int32'],
  [Uint32Array, 'uint32'],
  [Int16Array, 'int16'],
  [Uint16Array, 'uint16'],
  [Int8Array, 'int8'],
  [Uint8Array, 'uint8'],
]);

/** Number of elements; the empty shape is a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((count, dim) => count * dim, 1);
}

/** Bytes that `count` elements take, sub-byte types packed. */
export function byteLength(dataType: DataType, count: number): number {
  return Math.ceil((count * dataTypes[dataType].bits) / 8);
}

/** A tensor over a typed array (not copied) of the element type the array has. */
export function tensorOf(name: string, dims: readonly number[], elements: ElementArray): Tensor {
  const dataType = arrayTypes.get(elements.constructor);
  if (dataType === undefined || elementCount(dims) !== elements.length) {
    throw new RangeError(`${name}: ${elements.length} elements for shape [${dims.join(', ')}]`);
  }
  const view = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  return lazyTensor(name, dataType, dims, () => view);
}

/** A tensor whose bytes are made on demand; `read` must give the same bytes each time. */
export function lazyTensor(
  name: string,
  dataType: DataType,
  dims: readonly number[],
  read: () => Uint8Array,
): Tensor {
  const length = byteLength(dataType, elementCount(dims));
  return { name, dataType, dims, bytes: { length, read } };
}
