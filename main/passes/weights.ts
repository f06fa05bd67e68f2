import { LatheError } from '../../preload/contract/errors.ts';
import { storedTypes, type NamedTensor, type StoredType } from '../formats/namedTensors.ts';
import { dataTypes, type DataType } from '../onnx/dataTypes.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';

const isStored = (dataType: DataType): dataType is DataType & StoredType => dataType in storedTypes;

/** The constant under another name; its bytes are read, and changed, when they are asked for. */
export function namedTensor(
  name: string,
  shape: readonly number[],
  tensor: Tensor,
  change: (bytes: Uint8Array, size: number) => Uint8Array = (bytes) => bytes,
): NamedTensor {
  const { dataType, bytes } = tensor;
  if (!isStored(dataType)) {
    throw new LatheError('tensor_mismatch', `${tensor.name} must hold floats: ${dataType}`, {
      tensor: tensor.name,
      value: dataType,
    });
  }
  const size = dataTypes[dataType].bits / 8;
  return {
    name,
    dataType,
    shape,
    length: elementCount(shape) * size,
    file: tensor.name,
    offset: 0,
    read: () => owned(change(bytes.read(), size)),
  };
}

/** Rows `from` … `to` - 1 of a matrix, or elements of a vector. */
export function rowsOf(name: string, tensor: Tensor, from: number, to: number): NamedTensor {
  const [rows, ...rest] = tensor.dims;
  const columns = elementCount(rest);
  if (from === 0 && to === rows) return namedTensor(name, tensor.dims, tensor);
  return namedTensor(name, [to - from, ...rest], tensor, (bytes, size) =>
    bytes.subarray(from * columns * size, to * columns * size),
  );
}

/** Columns `from` … `to` - 1 of a matrix [K, N], as rows: [to - from, K]. */
export function columnsOf(name: string, tensor: Tensor, from: number, to: number): NamedTensor {
  const [rows, columns] = tensor.dims;
  return namedTensor(name, [to - from, rows], tensor, (bytes, size) => {
    const result = new Uint8Array((to - from) * rows * size);
    const [source, target] = size === 2 ? halves(bytes, result) : words(bytes, result);
    // Tiled, so that both sides stay in the cache.
    for (let c0 = from; c0 < to; c0 += 32) {
      for (let r0 = 0; r0 < rows; r0 += 32) {
        for (let c = c0; c < Math.min(c0 + 32, to); c++) {
          for (let r = r0; r < Math.min(r0 + 32, rows); r++) {
            target[(c - from) * rows + r] = source[r * columns + c];
          }
        }
      }
    }
    return result;
  });
}

/** Zeros, for a bias that other layers of the kind have. */
export function zeros(name: string, length: number): NamedTensor {
  return {
    name,
    dataType: 'float32',
    shape: [length],
    length: length * 4,
    file: name,
    offset: 0,
    read: () => new Uint8Array(length * 4),
  };
}

function halves(bytes: Uint8Array, result: Uint8Array): [Uint16Array, Uint16Array] {
  const { buffer, byteOffset, length } = aligned(bytes, 2);
  return [new Uint16Array(buffer, byteOffset, length / 2), new Uint16Array(result.buffer)];
}

function words(bytes: Uint8Array, result: Uint8Array): [Uint32Array, Uint32Array] {
  const { buffer, byteOffset, length } = aligned(bytes, 4);
  return [new Uint32Array(buffer, byteOffset, length / 4), new Uint32Array(result.buffer)];
}

const aligned = (bytes: Uint8Array, size: number): Uint8Array =>
  bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);

function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes;
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, byteOffset, length)
    : new Uint8Array(bytes);
}
