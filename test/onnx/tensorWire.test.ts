import { describe, expect, test } from 'vitest';
import type { Context } from '../../main/onnx/context.ts';
import { dataTypes, type DataType } from '../../main/onnx/dataTypes.ts';
import type { Tensor } from '../../main/onnx/tensor.ts';
import { decodeSparseTensor, decodeTensor, encodeTensor } from '../../main/onnx/tensorWire.ts';
import { readMessage, writeMessage } from '../../main/onnx/wire.ts';
import { block, integer, sourceOf, text, varint } from './protobuf.ts';

const refused = expect.objectContaining({ code: 'graph_invalid' });

function decode(...fields: number[][]): Tensor {
  const { wire, offsets } = readMessage('Tensor', sourceOf(fields.flat()));
  return decodeTensor(wire, contextOf(offsets));
}

const contextOf = (offsets: ReadonlyMap<object, number>): Context => ({
  file: 'model.onnx',
  offsets,
  external: () => {
    throw new Error('no external data here');
  },
});

const head = (dataType: DataType, ...dims: (number | bigint)[]): number[] => [
  ...dims.flatMap((size) => integer(1, size)),
  ...integer(2, dataTypes[dataType].code),
];

const bytesOf = (array: ArrayBufferView): number[] => [
  ...new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
];

const list = (field: number, values: (number | bigint)[]): number[] =>
  block(
    field,
    values.flatMap((value) => varint(value)),
  );

const sparse = (bytes: number[]): unknown => {
  const { wire, offsets } = readMessage('SparseTensor', sourceOf(bytes));
  return decodeSparseTensor(wire, contextOf(offsets)).dims;
};

describe('elements of a typed list are the bytes a raw tensor has', () => {
  test.each<[DataType, number, number[], ArrayBufferView]>([
    ['float32', 2, block(4, bytesOf(Float32Array.of(1, -2))), Float32Array.of(1, -2)],
    ['complex64', 1, block(4, bytesOf(Float32Array.of(1, -2))), Float32Array.of(1, -2)],
    ['float64', 2, block(10, bytesOf(Float64Array.of(1, -2))), Float64Array.of(1, -2)],
    ['complex128', 1, block(10, bytesOf(Float64Array.of(1, -2))), Float64Array.of(1, -2)],
    ['int64', 3, list(7, [1, -2, -(2n ** 63n)]), BigInt64Array.of(1n, -2n, -(2n ** 63n))],
    ['uint64', 2, list(11, [1, 2n ** 64n - 1n]), BigUint64Array.of(1n, 2n ** 64n - 1n)],
    ['uint32', 2, list(11, [1, 2 ** 32 - 1]), Uint32Array.of(1, 2 ** 32 - 1)],
    ['int32', 2, list(5, [1, -2]), Int32Array.of(1, -2)],
    ['int16', 2, list(5, [1, -2]), Int16Array.of(1, -2)],
    ['int8', 2, list(5, [1, -2]), Int8Array.of(1, -2)],
    ['uint16', 2, list(5, [1, 65535]), Uint16Array.of(1, 65535)],
    ['uint8', 2, list(5, [1, 255]), Uint8Array.of(1, 255)],
    ['bool', 2, list(5, [1, 0]), Uint8Array.of(1, 0)],
    ['float16', 2, list(5, [0x3c00, 0xfc00]), Uint16Array.of(0x3c00, 0xfc00)],
    ['bfloat16', 1, list(5, [0x3f80]), Uint16Array.of(0x3f80)],
    ['float8e4m3fn', 1, list(5, [0x38]), Uint8Array.of(0x38)],
    ['int4', 3, list(5, [0x21, 0x03]), Uint8Array.of(0x21, 0x03)],
    ['uint2', 5, list(5, [0xe4, 0x01]), Uint8Array.of(0xe4, 0x01)],
  ])('%s', (dataType, count, elements, expected) => {
    const tensor = decode(head(dataType, count), elements);
    expect([...tensor.bytes.read()]).toEqual(bytesOf(expected));
    expect(tensor.bytes.length).toBe(expected.byteLength);
    const fields = [...head(dataType, count), ...elements];
    // Fields are written by number: the type stands before the elements either way.
    expect([...writeMessage('Tensor', encodeTensor(tensor))]).toEqual(fields);
  });

  test('a list of the wrong length is refused, at once or when it is read', () => {
    expect(() => decode(head('float32', 3), block(4, bytesOf(Float32Array.of(1, 2))))).toThrow(
      refused,
    );
    const tensor = decode(head('int64', 3), list(7, [1, 2]));
    expect(() => tensor.bytes.read()).toThrow(refused);
  });

  test('a list of another type is refused', () => {
    expect(() => decode(head('int64', 1), list(5, [1]))).toThrow(refused);
  });
});

describe('shapes', () => {
  test.each<[string, number[], number]>([
    ['a scalar', head('float32'), 4],
    ['no elements', head('float32', 3, 0), 0],
    ['no elements beside a large size', head('float32', 0, 2n ** 40n), 0],
    ['odd number of 4-bit elements', head('int4', 3), 2],
    ['2-bit elements', head('uint2', 5), 2],
    ['100,000 dimensions', head('uint8', ...Array.from({ length: 100_000 }, () => 1)), 1],
  ])('%s', (_, fields, length) => {
    const raw = block(9, new Uint8Array(length));
    expect(decode(fields, raw).bytes.length).toBe(length);
  });

  test.each<[string, number[]]>([
    ['a negative size', head('float32', -4)],
    ['a product beyond 64 bits', head('float32', 2n ** 40n, 2n ** 40n)],
    ['a size of 2^62', head('float32', 2n ** 62n)],
    ['a product that is zero after it was too large', head('float32', 2n ** 40n, 2n ** 40n, 0)],
    ['4 TB without elements', head('float32', 2n ** 40n)],
    ['too many elements', head('float32', 2)],
    ['too few elements', head('float32', 0)],
    ['an unknown type', [...integer(1, 1), ...integer(2, 99)]],
    ['no type', [...integer(1, 1), ...integer(2, 0)]],
    ['a location that is neither inside nor beside', [...head('float32', 1), ...integer(14, 2)]],
  ])('%s: refused with the place and the name', (_, fields) => {
    expect(() => decode(fields, text(8, 'w'), block(9, [0, 0, 0, 0]))).toThrow(
      expect.objectContaining({
        code: 'graph_invalid',
        data: { file: 'model.onnx', offset: 0, tensor: 'w' },
      }),
    );
  });
});

test.each([
  ['beyond 64 bits', [2n ** 40n, 2n ** 40n]],
  ['too large before it becomes zero', [2n ** 40n, 2n ** 40n, 0n]],
  ['of 2^53', [2n ** 53n]],
])('a number of elements %s is refused as such, before it is rounded', (_, dims) => {
  expect(() => decode(head('uint8', ...dims))).toThrow('too many elements');
});

test('elements given twice are refused', () => {
  const floats = block(4, bytesOf(Float32Array.of(1)));
  expect(() => decode(head('float32', 1), floats, block(9, [0, 0, 0, 0]))).toThrow(refused);
});

describe('strings', () => {
  test('are kept as bytes', () => {
    const fields = [...head('string', 2), ...block(6, [255]), ...text(6, 'b')];
    const tensor = decode(fields);
    expect(tensor.strings).toEqual([Uint8Array.of(255), Uint8Array.of(98)]);
    expect([...writeMessage('Tensor', encodeTensor(tensor))]).toEqual(fields);
  });

  test.each<[string, number[][]]>([
    ['raw', [head('string', 1), block(9, [65])]],
    ['fewer than the shape says', [head('string', 2), text(6, 'a')]],
    ['in a tensor of numbers', [head('float32', 1), text(6, 'a')]],
    ['external', [head('string', 1), integer(14, 1)]],
  ])('%s are refused', (_, fields) => {
    expect(() => decode(...fields)).toThrow(refused);
  });
});

test('a sparse tensor needs its values and where they are', () => {
  const part = [...head('float32', 1), ...block(9, [0, 0, 0, 0])];
  expect(sparse([...block(1, part), ...block(2, part), ...integer(3, 9)])).toEqual([9]);
  expect(() => sparse([...block(1, part), ...integer(3, 9)])).toThrow(refused);
  expect(() => sparse([...block(1, part), ...block(2, part), ...integer(3, -9)])).toThrow(refused);
});
