import { invalid, keep, type Context } from './context.ts';
import { dataTypeOf, dataTypes, type DataType } from './dataTypes.ts';
import type { Dimension, ValueType } from './model.ts';
import type { Wire } from './schema.ts';

/** The type of a value; what has no place in it stays in `kept`, in the shape of the message. */
export function decodeType(wire: Wire<'Type'>, context: Context): ValueType {
  const { tensorType, sparseTensorType, sequenceType, optionalType, mapType, ...rest } = wire;
  const nested = (type: Wire<'Type'> | undefined): ValueType | null =>
    type === undefined ? null : decodeType(type, context);
  const known = (code = 0): DataType => {
    const dataType = dataTypeOf(code);
    if (dataType === undefined) throw invalid(context, wire, `unknown element type: ${code}`);
    return dataType;
  };
  const tensor = tensorType ?? sparseTensorType;
  if (tensor !== undefined) {
    const { elemType, shape, ...others } = tensor;
    const dataType = known(elemType);
    const { dims, left } = decodeShape(shape, context);
    const leftover = { ...others, ...left };
    return tensorType === undefined
      ? {
          kind: 'sparseTensor',
          dataType,
          shape: dims,
          ...remain(rest, 'sparseTensorType', leftover),
        }
      : { kind: 'tensor', dataType, shape: dims, ...remain(rest, 'tensorType', leftover) };
  }
  if (sequenceType !== undefined) {
    const { elemType, ...left } = sequenceType;
    return { kind: 'sequence', element: nested(elemType), ...remain(rest, 'sequenceType', left) };
  }
  if (optionalType !== undefined) {
    const { elemType, ...left } = optionalType;
    return { kind: 'optional', element: nested(elemType), ...remain(rest, 'optionalType', left) };
  }
  if (mapType !== undefined) {
    const { keyType, valueType, ...left } = mapType;
    const value = nested(valueType);
    return { kind: 'map', key: known(keyType), value, ...remain(rest, 'mapType', left) };
  }
  return { kind: rest.opaqueType === undefined ? 'none' : 'opaque', ...keep(rest) };
}

/** The message of a type. */
export function encodeType(type: ValueType): Wire<'Type'> {
  const { kept = {} } = type;
  switch (type.kind) {
    case 'tensor':
      return { ...kept, tensorType: encodeTensorType(type.dataType, type.shape, kept.tensorType) };
    case 'sparseTensor': {
      const left = kept.sparseTensorType;
      return { ...kept, sparseTensorType: encodeTensorType(type.dataType, type.shape, left) };
    }
    case 'sequence':
      return { ...kept, sequenceType: { ...kept.sequenceType, ...encodeElement(type.element) } };
    case 'optional':
      return { ...kept, optionalType: { ...kept.optionalType, ...encodeElement(type.element) } };
    case 'map': {
      const keyType = dataTypes[type.key].code;
      const value = type.value === null ? {} : { valueType: encodeType(type.value) };
      return { ...kept, mapType: { ...kept.mapType, keyType, ...value } };
    }
    case 'opaque':
    case 'none':
      return { ...kept };
  }
}

function encodeElement(element: ValueType | null): Wire<'ElementType'> {
  return element === null ? {} : { elemType: encodeType(element) };
}

function encodeTensorType(
  dataType: DataType,
  shape: readonly Dimension[] | null,
  left: Wire<'TensorType'> = {},
): Wire<'TensorType'> {
  const elemType = dataTypes[dataType].code;
  if (shape === null) return { ...left, elemType };
  const dim = shape.map((size, index): Wire<'Dimension'> => {
    const known = { ...left.shape?.dim?.[index] };
    if (typeof size === 'number') return { ...known, dimValue: BigInt(size) };
    return size === null ? known : { ...known, dimParam: size };
  });
  return { ...left, elemType, shape: { ...left.shape, dim } };
}

function decodeShape(
  shape: Wire<'TensorShape'> | undefined,
  context: Context,
): { dims: Dimension[] | null; left: Wire<'TensorType'> } {
  if (shape === undefined) return { dims: null, left: {} };
  const { dim = [], ...rest } = shape;
  const remains = dim.map(({ dimValue: _value, dimParam: _param, ...left }) => left);
  const dims = dim.map((size): Dimension => {
    const { dimValue, dimParam = null } = size;
    if (dimValue === undefined) return dimParam;
    if (!Number.isSafeInteger(Number(dimValue))) {
      throw invalid(context, size, `size beyond 2^53: ${dimValue}`);
    }
    return Number(dimValue);
  });
  const anything = remains.some((left) => Object.keys(left).length > 0);
  const left = { ...rest, ...(anything ? { dim: remains } : {}) };
  return { dims, left: Object.keys(left).length > 0 ? { shape: left } : {} };
}

/** What is left of a type: of itself, and of the message inside that says what it is. */
function remain<K extends keyof Wire<'Type'>>(
  rest: Wire<'Type'>,
  key: K,
  left: NonNullable<Wire<'Type'>[K]>,
): { kept?: Wire<'Type'> } {
  return keep(Object.keys(left).length === 0 ? rest : { ...rest, [key]: left });
}
