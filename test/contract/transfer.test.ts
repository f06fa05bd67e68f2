import { expect, test } from 'vitest';
import { cloneTypedArrays, typedArraySerializers } from '../../preload/contract/transfer.ts';

async function* stream(): AsyncGenerator<number> {
  yield 1;
}

test('messages with a typed array anywhere inside travel by structured clone', () => {
  expect(cloneTypedArrays(['id', 2, { body: { json: [{ data: new Float32Array(1) }] } }])).toEqual(
    [],
  );
});

test('other messages travel as text, streams among them', () => {
  const bodies = [null, 'text', { json: [1, 'a', null] }, stream(), new URL('http://orpc/')];
  expect(bodies.map((body) => cloneTypedArrays(['id', 2, { body }]))).toEqual(
    bodies.map(() => null),
  );
});

test('arrays cross a WebSocket as text and come out equal, parts of larger buffers too', () => {
  const floats = Float32Array.from({ length: 20_000 }, (_, at) => Math.sin(at));
  const arrays = [
    floats,
    floats.subarray(3, 7),
    Int32Array.of(-1, 2 ** 31 - 1),
    Float64Array.of(0.1, -0, Infinity),
    new Float32Array(),
  ];
  const copies = arrays.map((array) => {
    const [serializer] = typedArraySerializers.filter(({ condition }) => condition(array));
    return serializer?.deserialize(serializer.serialize(array));
  });
  expect(copies).toEqual(arrays);
});

test('text that is no array is refused', () => {
  expect(() => typedArraySerializers[0]?.deserialize(5)).toThrow('a typed array must be text');
  expect(() => typedArraySerializers[0]?.deserialize('AAA=')).toThrow(RangeError);
});
