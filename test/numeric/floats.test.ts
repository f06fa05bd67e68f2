import { expect, test } from 'vitest';
import { toBfloat16Bits, toFloat16Bits } from '../../main/numeric/float16.ts';
import { toFloat32 } from '../../main/numeric/floats.ts';

const values = [0, -0, 1, -1.5, 2 ** -14, 2 ** -24, 65_504, Infinity];

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

test('reads each storage type exactly', () => {
  const small = [0, -0, 1, -1.5, 2 ** -14, Infinity];
  expect({
    float32: [...toFloat32('float32', bytesOf(Float32Array.from(values)))],
    float64: [...toFloat32('float64', bytesOf(Float64Array.from(values)))],
    float16: [...toFloat32('float16', bytesOf(Uint16Array.from(values, toFloat16Bits)))],
    bfloat16: [...toFloat32('bfloat16', bytesOf(Uint16Array.from(small, toBfloat16Bits)))],
  }).toEqual({ float32: values, float64: values, float16: values, bfloat16: small });
});

test('reads bytes that start at an odd offset', () => {
  const bytes = new Uint8Array(9);
  bytes.set(bytesOf(Float32Array.from([3, 4])), 1);
  expect([...toFloat32('float32', bytes.subarray(1))]).toEqual([3, 4]);
});
