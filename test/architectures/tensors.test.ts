import { expect, test } from 'vitest';
import { checkTensors, stack, vector } from '../../main/architectures/tensors.ts';
import type { NamedTensor, NamedTensors, StoredType } from '../../main/formats/namedTensors.ts';
import { toBfloat16Bits, toFloat16Bits } from '../../main/numeric/float16.ts';

function tensorsOf(
  list: [name: string, dataType: StoredType, values: ArrayBufferView][],
): NamedTensors {
  const tensors = new Map(
    list.map(([name, dataType, { buffer, byteLength }], index): [string, NamedTensor] => [
      name,
      {
        name,
        dataType,
        shape: [2],
        length: byteLength,
        file: 'w',
        offset: index,
        read: () => new Uint8Array(new Uint8Array(buffer as ArrayBuffer)),
      },
    ]),
  );
  return { path: 'w', names: [...tensors.keys()], get: (name) => tensors.get(name), close() {} };
}

const weights = checkTensors(
  tensorsOf([
    ['half', 'float16', Uint16Array.of(toFloat16Bits(1), toFloat16Bits(2))],
    ['brain', 'bfloat16', Uint16Array.of(toBfloat16Bits(3), toBfloat16Bits(4))],
    ['single', 'float32', Float32Array.of(5, 6)],
  ]),
  ['half', 'brain', 'single'].map((name) => ({ name, shape: [2] })),
);
const part = (name: string) => ({ weight: weights(name) });

test('matrices of one storage type keep it', () => {
  const both = stack('both', [part('half'), part('half')], [2, 2]);
  expect([
    both.dataType,
    both.bytes.length,
    [...new Uint16Array(both.bytes.read().slice().buffer)],
  ]).toEqual(['float16', 8, [1, 2, 1, 2].map(toFloat16Bits)]);
});

test('matrices of several storage types become float32', () => {
  const all = stack('all', [part('half'), part('brain'), part('single')], [3, 2]);
  expect([all.dataType, [...new Float32Array(all.bytes.read().slice().buffer)]]).toEqual([
    'float32',
    [1, 2, 3, 4, 5, 6],
  ]);
});

test('vectors are float32 always', () => {
  const both = vector('both', [part('brain'), part('half')], 4);
  expect([both.dataType, [...new Float32Array(both.bytes.read().slice().buffer)]]).toEqual([
    'float32',
    [3, 4, 1, 2],
  ]);
});

test('a rearrangement is given the size of the elements that are stored', () => {
  const sizes: number[] = [];
  const rearrange = (bytes: Uint8Array, size: number): Uint8Array => {
    sizes.push(size);
    return bytes;
  };
  const turned = { ...part('half'), rearrange };
  stack('one', [turned], [2]).bytes.read();
  stack('two', [turned, part('single')], [2, 2]).bytes.read();
  vector('three', [turned], 2).bytes.read();
  expect(sizes).toEqual([2, 4, 4]);
});
