import { invalid, keep, keysOf, type Context } from './context.ts';
import { decodeGraph } from './decode.ts';
import { encodeGraph, type EncodeConstant } from './encode.ts';
import type { Attribute, AttributeValue } from './model.ts';
import type { Wire } from './schema.ts';
import {
  decodeSparseTensor,
  decodeTensor,
  encodeSparseTensor,
  encodeTensor,
} from './tensorWire.ts';
import { decodeType, encodeType } from './typeWire.ts';

type Kind = Exclude<AttributeValue['kind'], 'reference'>;

/** AttributeProto.AttributeType and the field that holds a value of it. */
const kinds = {
  float: { type: 1, field: 'f' },
  int: { type: 2, field: 'i' },
  string: { type: 3, field: 's' },
  tensor: { type: 4, field: 't' },
  graph: { type: 5, field: 'g' },
  floats: { type: 6, field: 'floats' },
  ints: { type: 7, field: 'ints' },
  strings: { type: 8, field: 'strings' },
  tensors: { type: 9, field: 'tensors' },
  graphs: { type: 10, field: 'graphs' },
  sparseTensor: { type: 11, field: 'sparseTensor' },
  sparseTensors: { type: 12, field: 'sparseTensors' },
  type: { type: 13, field: 'tp' },
  types: { type: 14, field: 'typeProtos' },
} as const satisfies Record<Kind, { type: number; field: keyof Wire<'Attribute'> }>;

const kindNames = keysOf(kinds);

/** An attribute of a file. One without a type (IR version 1) has the type of what it holds. */
export function decodeAttribute(wire: Wire<'Attribute'>, context: Context): Attribute {
  const { name = '', type = 0, refAttrName = '', docString, unknown, ...values } = wire;
  const rest = {
    ...(docString === undefined ? {} : { docString }),
    ...(unknown === undefined ? {} : { unknown }),
  };
  const held = kindNames.filter((kind) => values[kinds[kind].field] !== undefined);
  if (refAttrName !== '') {
    if (held.length > 0) throw invalid(context, wire, `attribute ${name} is value and reference`);
    return { name, kind: 'reference', value: refAttrName, type, ...keep(rest) };
  }
  const kind = type === 0 ? held[0] : kindNames.find((one) => kinds[one].type === type);
  if (kind === undefined) throw invalid(context, wire, `attribute ${name} has no type: ${type}`);
  const other = held.find((one) => one !== kind);
  if (other !== undefined) {
    throw invalid(context, wire, `attribute ${name} of type ${kind} holds another: ${other}`);
  }
  return { name, ...decodeValue(kind, wire, context), ...keep(rest) };
}

/** The message of an attribute. */
export function encodeAttribute(attribute: Attribute, constant: EncodeConstant): Wire<'Attribute'> {
  const { name, kind, kept } = attribute;
  if (kind === 'reference') {
    return { ...kept, name, refAttrName: attribute.value, type: attribute.type };
  }
  return { ...kept, name, type: kinds[kind].type, ...encodeValue(attribute, constant) };
}

function decodeValue(kind: Kind, wire: Wire<'Attribute'>, context: Context): AttributeValue {
  const present = <T>(value: T | undefined): T => {
    if (value !== undefined) return value;
    throw invalid(context, wire, `attribute ${wire.name ?? ''} of type ${kind} is empty`);
  };
  switch (kind) {
    case 'float':
      return { kind, value: wire.f ?? 0 };
    case 'int':
      return { kind, value: wire.i ?? 0n };
    case 'string':
      return { kind, value: wire.s ?? new Uint8Array(0) };
    case 'tensor':
      return { kind, value: decodeTensor(present(wire.t), context) };
    case 'graph':
      return { kind, value: decodeGraph(present(wire.g), context) };
    case 'sparseTensor':
      return { kind, value: decodeSparseTensor(present(wire.sparseTensor), context) };
    case 'type':
      return { kind, value: decodeType(present(wire.tp), context) };
    case 'floats':
      return { kind, value: wire.floats ?? [] };
    case 'ints':
      return { kind, value: wire.ints ?? [] };
    case 'strings':
      return { kind, value: wire.strings ?? [] };
    case 'tensors':
      return { kind, value: (wire.tensors ?? []).map((one) => decodeTensor(one, context)) };
    case 'graphs':
      return { kind, value: (wire.graphs ?? []).map((one) => decodeGraph(one, context)) };
    case 'sparseTensors': {
      const { sparseTensors = [] } = wire;
      return { kind, value: sparseTensors.map((one) => decodeSparseTensor(one, context)) };
    }
    case 'types':
      return { kind, value: (wire.typeProtos ?? []).map((one) => decodeType(one, context)) };
  }
}

function encodeValue(
  attribute: Exclude<Attribute, { kind: 'reference' }>,
  constant: EncodeConstant,
): Wire<'Attribute'> {
  switch (attribute.kind) {
    case 'float':
      return { f: attribute.value };
    case 'int':
      return { i: attribute.value };
    case 'string':
      return { s: attribute.value };
    case 'tensor':
      return { t: encodeTensor(attribute.value) };
    case 'graph':
      return { g: encodeGraph(attribute.value, constant) };
    case 'sparseTensor':
      return { sparseTensor: encodeSparseTensor(attribute.value) };
    case 'type':
      return { tp: encodeType(attribute.value) };
    case 'floats':
      return { floats: [...attribute.value] };
    case 'ints':
      return { ints: [...attribute.value] };
    case 'strings':
      return { strings: [...attribute.value] };
    case 'tensors':
      return { tensors: attribute.value.map((one) => encodeTensor(one)) };
    case 'graphs':
      return { graphs: attribute.value.map((one) => encodeGraph(one, constant)) };
    case 'sparseTensors':
      return { sparseTensors: attribute.value.map((one) => encodeSparseTensor(one)) };
    case 'types':
      return { typeProtos: attribute.value.map((one) => encodeType(one)) };
  }
}
