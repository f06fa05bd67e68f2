import { fromFloat16Bits } from './float16.ts';

/**
 * Numbers stored little-endian in `bytes`, as float32. Exact for all but float64, which is rounded.
 * The result of float32 shares the memory of `bytes` where its alignment allows that.
 */
export function toFloat32(dataType: FloatType, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  return readers[dataType](bytes);
}

const readers = {
  float64: (bytes: Uint8Array) => Float32Array.from(new Float64Array(...aligned(bytes, 8))),
  float32: (bytes: Uint8Array) => new Float32Array(...aligned(bytes, 4)),
  bfloat16: (bytes: Uint8Array) => {
    const source = new Uint16Array(...aligned(bytes, 2));
    // A bfloat16 is the upper half of a float32.
    const bits = new Uint32Array(source.length);
    for (let i = 0; i < source.length; i++) bits[i] = source[i] << 16;
    return new Float32Array(bits.buffer);
  },
  float16: (bytes: Uint8Array) => {
    const source = new Uint16Array(...aligned(bytes, 2));
    // There are only 65,536 halves: looking them up is much faster than computing each.
    halves ??= Float32Array.from({ length: 0x10000 }, (_, half) => fromFloat16Bits(half));
    const result = new Float32Array(source.length);
    for (let i = 0; i < source.length; i++) result[i] = halves[source[i]];
    return result;
  },
};

/** Storage types that hold real numbers. */
export type FloatType = keyof typeof readers;

let halves: Float32Array | undefined;

function aligned(bytes: Uint8Array, size: number): [ArrayBuffer, number, number] {
  const length = Math.floor(bytes.length / size);
  if (bytes.buffer instanceof ArrayBuffer && bytes.byteOffset % size === 0) {
    return [bytes.buffer, bytes.byteOffset, length];
  }
  return [new Uint8Array(bytes).buffer, 0, length];
}
