import { BinaryReader } from '@bufbuild/protobuf/wire';
import { dataTypes, type DataType } from './dataTypes.ts';
import type { PackedField } from './tensor.ts';

/** The typed list of TensorProto that holds elements of this type when they are not raw. */
export function packedFieldOf(dataType: DataType): PackedField {
  switch (dataType) {
    case 'float32':
    case 'complex64':
      return 'floatData';
    case 'float64':
    case 'complex128':
      return 'doubleData';
    case 'int64':
      return 'int64Data';
    case 'uint32':
    case 'uint64':
      return 'uint64Data';
    default:
      return 'int32Data';
  }
}

/**
 * Varints of a typed list as the raw little-endian bytes of a tensor, or null where their number
 * is not `length` bytes' worth. Types under 8 bits come packed, one byte per varint (onnx.proto,
 * int32_data).
 */
export function unpackVarints(
  varints: Uint8Array,
  dataType: DataType,
  length: number,
): Uint8Array | null {
  const width = Math.max(8, dataTypes[dataType].bits) / 8;
  let count = 0;
  for (const byte of varints) if (byte < 0x80) count += 1;
  if (count * width !== length) return null;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const reader = new BinaryReader(varints);
  for (let offset = 0; offset < length; offset += width) {
    if (width === 8) view.setBigInt64(offset, BigInt(reader.int64()), true);
    else if (width === 4) view.setInt32(offset, reader.int32(), true);
    else if (width === 2) view.setInt16(offset, reader.int32(), true);
    else bytes[offset] = reader.int32();
  }
  return bytes;
}
