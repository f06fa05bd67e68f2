/* oxlint-disable typescript/no-unsafe-type-assertion --
   values pass through here as the table says; `Wire` states the same to the compiler */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { BinaryReader } from '@bufbuild/protobuf/wire';
import { LatheError } from '../../preload/contract/errors.ts';
import { Cursor, type Source } from './cursor.ts';
import {
  schema,
  type Field,
  type MessageName,
  type Payload,
  type Scalars,
  type Wire,
} from './schema.ts';

/** Messages inside one another; onnxruntime's parser stops at 100, an If costs three levels. */
const DEEPEST_MESSAGE = 64;

/** Fields in one file: a graph of a million nodes has fewer, and each takes about 100 bytes here. */
const MOST_FIELDS = 10_000_000;

/** Protobuf's own bound on one message: 32-bit signed lengths. */
const LARGEST_MESSAGE = 2 ** 31 - 1;

/** A decoded message and where each message in it began. */
export interface Parsed<M extends MessageName> {
  readonly wire: Wire<M>;
  readonly offsets: ReadonlyMap<object, number>;
}

type Untyped = Record<string, unknown> & { unknown?: Uint8Array[] };

interface State {
  readonly cursor: Cursor;
  readonly offsets: Map<object, number>;
  fields: number;
}

/** Decodes a whole source as one message of the table. */
export function readMessage<M extends MessageName>(name: M, source: Source): Parsed<M> {
  const state: State = { cursor: new Cursor(source), offsets: new Map(), fields: 0 };
  const wire: Untyped = {};
  readFields(state, name, wire, source.length, 0);
  return { wire: wire as Wire<M>, offsets: state.offsets };
}

function readFields(
  state: State,
  name: MessageName,
  into: Untyped,
  end: number,
  depth: number,
): void {
  const { cursor, offsets } = state;
  if (!offsets.has(into)) offsets.set(into, cursor.position);
  if (depth > DEEPEST_MESSAGE) throw cursor.malformed(cursor.position, 'nested too deeply');
  const lists = new Map<string, Payload[]>();
  let start = cursor.position;
  while (cursor.position < end) {
    start = cursor.position;
    state.fields += 1;
    if (state.fields > MOST_FIELDS) throw cursor.malformed(start, 'too many fields');
    const [number, wireType] = cursor.tag();
    const entry = fieldsOf[name].get(number);
    if (entry === undefined || !fits(entry.field, wireType)) {
      (into.unknown ??= []).push(cursor.unknown(start, number, wireType, end));
      continue;
    }
    const { key, field } = entry;
    if (field.oneof) clearOneof(name, into, key);
    if (isMessage(field.type)) {
      const message = ((field.repeated ? undefined : into[key]) ?? {}) as Untyped;
      readFields(state, field.type, message, cursor.block(end), depth + 1);
      if (field.repeated) list(into, key).push(message);
      else into[key] = message;
    } else if (field.type in packedTypes) {
      const pieces = lists.get(key) ?? [];
      lists.set(key, pieces);
      pieces.push(
        wireType === WireType.LengthDelimited
          ? cursor.payload(cursor.block(end))
          : cursor.element(wireType),
      );
    } else if (!field.repeated) {
      into[key] = readScalar(cursor, field.type, end);
    } else if (wireType === WireType.LengthDelimited && field.type in numeric) {
      const blockEnd = cursor.block(end);
      while (cursor.position < blockEnd) {
        state.fields += 1;
        if (state.fields > MOST_FIELDS) throw cursor.malformed(start, 'too many fields');
        list(into, key).push(readScalar(cursor, field.type, blockEnd));
      }
      if (cursor.position > blockEnd) throw cursor.malformed(start, 'list ends inside a value');
    } else {
      list(into, key).push(readScalar(cursor, field.type, end));
    }
  }
  if (cursor.position > end) throw cursor.malformed(start, 'message ends inside a field');
  for (const [key, pieces] of lists) {
    const earlier = into[key] as Payload | undefined;
    into[key] = join(earlier === undefined ? pieces : [earlier, ...pieces]);
  }
}

/** Encodes a message: fields by number, then the unknown ones; equal messages give equal bytes. */
export function writeMessage<M extends MessageName>(name: M, wire: Wire<M>): Uint8Array {
  const budget = { left: LARGEST_MESSAGE };
  const writer = new BinaryWriter();
  writeFields(writer, name, wire, budget);
  const bytes = writer.finish();
  if (bytes.length > LARGEST_MESSAGE) throw tooLarge();
  return bytes;
}

function writeFields(
  writer: BinaryWriter,
  name: MessageName,
  wire: Untyped,
  budget: { left: number },
): void {
  for (const { key, field } of fieldsOf[name].values()) {
    const value = wire[key];
    if (value === undefined) continue;
    for (const one of field.repeated ? (value as unknown[]) : [value]) {
      if (isMessage(field.type)) {
        writer.tag(field.number, WireType.LengthDelimited).fork();
        writeFields(writer, field.type, one as Untyped, budget);
        writer.join();
      } else {
        writeScalar(writer, field, one, budget);
      }
    }
  }
  for (const bytes of wire.unknown ?? []) writer.raw(bytes);
}

function readScalar(cursor: Cursor, type: string, end: number): unknown {
  if (type in numeric) return cursor.value<unknown>(numeric[type as keyof typeof numeric].read);
  const blockEnd = cursor.block(end);
  if (type === 'string') return cursor.text(blockEnd);
  // A view would keep the whole window alive.
  if (type === 'bytes') return cursor.bytes(blockEnd).slice();
  return cursor.payload(blockEnd);
}

function writeScalar(
  writer: BinaryWriter,
  { number, type }: Field,
  value: unknown,
  budget: { left: number },
): void {
  if (type in numeric) {
    const { wireType, write } = numeric[type as keyof typeof numeric];
    write(writer.tag(number, wireType), value as never);
  } else if (type === 'string') {
    writer.tag(number, WireType.LengthDelimited).string(value as string);
  } else if (type === 'bytes') {
    writer.tag(number, WireType.LengthDelimited).bytes(value as Uint8Array);
  } else {
    const payload = value as Payload;
    budget.left -= payload.length;
    if (budget.left < 0) throw tooLarge();
    writer.tag(number, WireType.LengthDelimited).bytes(payload.read());
  }
}

function join(pieces: readonly Payload[]): Payload {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return first;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return {
    length,
    read() {
      const bytes = new Uint8Array(length);
      let offset = 0;
      for (const piece of pieces) {
        bytes.set(piece.read(), offset);
        offset += piece.length;
      }
      return bytes;
    },
  };
}

function fits({ type, repeated }: Field, wireType: WireType): boolean {
  if (type in packedTypes) {
    return (
      wireType === WireType.LengthDelimited ||
      wireType === packedTypes[type as keyof typeof packedTypes]
    );
  }
  if (!(type in numeric)) return wireType === WireType.LengthDelimited;
  return (
    wireType === numeric[type as keyof typeof numeric].wireType ||
    (repeated === true && wireType === WireType.LengthDelimited)
  );
}

function clearOneof(name: MessageName, into: Untyped, kept: string): void {
  for (const { key, field } of fieldsOf[name].values()) {
    if (field.oneof && key !== kept) delete into[key];
  }
}

function list(into: Untyped, key: string): unknown[] {
  return (into[key] ??= []) as unknown[];
}

const tooLarge = (): LatheError =>
  new LatheError(
    'file_too_large',
    `a model in one file may have ${LARGEST_MESSAGE} bytes: save it with its weights beside it`,
  );

const packedTypes = {
  packed32: WireType.Bit32,
  packed64: WireType.Bit64,
  packedVarint: WireType.Varint,
};

const numeric = {
  int32: {
    wireType: WireType.Varint,
    read: (reader: BinaryReader) => reader.int32(),
    write: (writer: BinaryWriter, value: Scalars['int32']) => writer.int32(value),
  },
  int64: {
    wireType: WireType.Varint,
    read: (reader: BinaryReader) => BigInt(reader.int64()),
    write: (writer: BinaryWriter, value: Scalars['int64']) => writer.int64(value),
  },
  float: {
    wireType: WireType.Bit32,
    read: (reader: BinaryReader) => reader.float(),
    write: (writer: BinaryWriter, value: Scalars['float']) => writer.float(value),
  },
};

const isMessage = (type: string): type is MessageName => type in schema;

const fieldsOf = Object.fromEntries(
  Object.entries(schema).map(([name, fields]) => [
    name,
    new Map(
      Object.entries<Field>(fields).map(([key, field]) => [field.number, { key, field }] as const),
    ),
  ]),
) as Record<MessageName, Map<number, { key: string; field: Field }>>;
