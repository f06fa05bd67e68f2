import type { Source } from '../../main/onnx/cursor.ts';

/** Protobuf by hand: the bytes of a varint, of any 64-bit value. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** A field that holds a varint. */
export const integer = (field: number, value: number | bigint): number[] => [
  ...varint(field * 8),
  ...varint(value),
];

/** A field that holds bytes: a message, a list, raw data. */
export const block = (field: number, bytes: Iterable<number>): number[] => {
  const content = [...bytes];
  return [...varint(field * 8 + 2), ...varint(content.length), ...content];
};

/** A field that holds text. */
export const text = (field: number, value: string): number[] =>
  block(field, new TextEncoder().encode(value));

/** A field that holds a float. */
export const float = (field: number, value: number): number[] => [
  ...varint(field * 8 + 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];

/** A source in memory. */
export function sourceOf(content: Iterable<number>, path = 'model.onnx'): Source {
  const bytes = Uint8Array.from(content);
  const read = (offset: number, length: number): Uint8Array =>
    bytes.subarray(offset, offset + length);
  return { length: bytes.length, path, read };
}
