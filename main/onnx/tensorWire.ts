import { LatheError } from '../../preload/contract/errors.ts';
import { emptyTexts, invalid, keep, type Context } from './context.ts';
import { dataTypeOf, dataTypes } from './dataTypes.ts';
import { packedFieldOf, unpackVarints } from './packed.ts';
import type { Payload, Wire } from './schema.ts';
import {
  byteLength,
  packedFields,
  type PackedField,
  type SparseTensor,
  type Tensor,
  type TensorBytes,
} from './tensor.ts';

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** A tensor of a file; its elements are checked against shape and type but not read. */
export function decodeTensor(wire: Wire<'Tensor'>, context: Context): Tensor {
  const { name = '', dataType: code = 0, dims: sizes = [], dataLocation = 0, ...others } = wire;
  const { rawData, stringData, ...more } = others;
  const {
    floatData: _f,
    int32Data: _i,
    int64Data: _l,
    doubleData: _d,
    uint64Data: _u,
    ...known
  } = more;
  const rest = { ...known, ...emptyTexts({ name: wire.name }) };
  const fail = (reason: string, value: unknown): LatheError =>
    invalid(context, wire, `tensor ${name}: ${reason}: ${String(value)}`, { tensor: name });

  const dataType = dataTypeOf(code);
  if (dataType === undefined || dataType === 'undefined') throw fail('unknown type', code);
  const dims = decodeDims(sizes, fail);
  const count = Number(dims.reduce((product, dim) => product * BigInt(dim), 1n));
  const length = byteLength(dataType, count);

  if (dataLocation === EXTERNAL) {
    if (dataType === 'string') throw fail('strings cannot be external', count);
    const { externalData = [], ...kept } = rest;
    const bytes = context.external(externalData, length);
    return { name, dataType, dims, bytes, ...keep(kept) };
  }
  if (dataLocation !== 0) throw fail('unknown data location', dataLocation);

  const packed: [PackedField, Payload][] = [];
  for (const field of packedFields) {
    const payload = wire[field];
    if (payload !== undefined && payload.length > 0) packed.push([field, payload]);
  }
  const [list] = packed;
  if (packed.length + Number(rawData !== undefined) + Number(stringData !== undefined) > 1) {
    throw fail('elements are given more than once', packed.map(([field]) => field).join(', '));
  }
  if (dataType === 'string') {
    const strings = stringData ?? [];
    if (list !== undefined || rawData !== undefined) throw fail('strings are raw', count);
    if (strings.length !== count) throw fail(`${count} strings expected`, strings.length);
    return { name, dataType, dims, bytes: nothing, strings, ...keep(rest) };
  }
  if (stringData !== undefined) throw fail('strings in a tensor of', dataType);
  if (list !== undefined) {
    const bytes = decodePacked(list, dataType, length, fail);
    return { name, dataType, dims, bytes, ...keep(rest) };
  }
  const bytes = rawData ?? nothing;
  if (bytes.length !== length) throw fail(`${length} bytes expected`, bytes.length);
  return { name, dataType, dims, bytes, ...keep(rest) };
}

/** The message of a tensor, its elements where they were in the file or raw. */
export function encodeTensor(tensor: Tensor): Wire<'Tensor'> {
  const { name, dataType, dims, bytes, strings, kept } = tensor;
  const head = {
    ...kept,
    dims: dims.map(BigInt),
    dataType: dataTypes[dataType].code,
    name: name || kept?.name,
  };
  if (strings !== undefined) return { ...head, stringData: [...strings] };
  const { packed } = bytes;
  return packed === undefined
    ? { ...head, rawData: bytes }
    : { ...head, [packed.field]: packed.payload };
}

/** A sparse tensor of a file. */
export function decodeSparseTensor(wire: Wire<'SparseTensor'>, context: Context): SparseTensor {
  const { values, indices, dims = [], ...rest } = wire;
  if (values === undefined || indices === undefined) {
    throw invalid(context, wire, 'sparse tensor without values or indices');
  }
  const fail = (reason: string, value: unknown): LatheError =>
    invalid(context, wire, `sparse tensor: ${reason}: ${String(value)}`);
  return {
    values: decodeTensor(values, context),
    indices: decodeTensor(indices, context),
    dims: decodeDims(dims, fail),
    ...keep(rest),
  };
}

/** The message of a sparse tensor. */
export function encodeSparseTensor(tensor: SparseTensor): Wire<'SparseTensor'> {
  return {
    ...tensor.kept,
    values: encodeTensor(tensor.values),
    indices: encodeTensor(tensor.indices),
    dims: tensor.dims.map(BigInt),
  };
}

/** Sizes whose product is exact as a number; without this bound a product could wrap around. */
function decodeDims(
  sizes: readonly bigint[],
  fail: (reason: string, value: unknown) => LatheError,
): number[] {
  let product = 1n;
  for (const size of sizes) {
    if (size < 0n) throw fail('negative size', size);
    product *= size;
    if (size > BigInt(Number.MAX_SAFE_INTEGER) || product > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw fail('too many elements', sizes.slice(0, 8).join(' × '));
    }
  }
  return sizes.map(Number);
}

function decodePacked(
  [field, payload]: [PackedField, Payload],
  dataType: Tensor['dataType'],
  length: number,
  fail: (reason: string, value: unknown) => LatheError,
): TensorBytes {
  if (field !== packedFieldOf(dataType)) throw fail(`${dataType} elements stand in`, field);
  const packed = { field, payload };
  if (field === 'floatData' || field === 'doubleData') {
    if (payload.length !== length) throw fail(`${length} bytes expected`, payload.length);
    return { length, read: () => payload.read(), packed };
  }
  return {
    length,
    packed,
    read() {
      const bytes = unpackVarints(payload.read(), dataType, length);
      if (bytes === null) throw fail('number of elements does not match the shape', length);
      return bytes;
    },
  };
}

const nothing: TensorBytes = { length: 0, read: () => new Uint8Array(0) };
