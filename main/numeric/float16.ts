import { roundHalfEven } from './rounding.ts';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Nearest IEEE 754 binary16 to `value`, ties to even, as its 16 bits. Overflow gives infinity. */
export function toFloat16Bits(value: number): number {
  float[0] = value;
  const single = bits[0];
  const sign = (single >>> 16) & 0x8000;
  const magnitude = single & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65,520 lies half way between the largest half (65,504) and the next step: it rounds away.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: scale so that one unit is 2^-24 and round to an integer, ties to even.
    return sign | roundHalfEven(Math.abs(float[0]) * 2 ** 24);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The value of 16 bits in IEEE 754 binary16. */
export function fromFloat16Bits(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (fraction + 1024) * 2 ** (exponent - 25);
}

/** Nearest bfloat16 (the upper half of a float32) to `value`, ties to even, as its 16 bits. */
export function toBfloat16Bits(value: number): number {
  float[0] = value;
  const single = bits[0];
  if ((single & 0x7fffffff) > 0x7f800000) return (single >>> 16) | 0x40;
  return ((single + 0x7fff + ((single >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The value of 16 bits in bfloat16. */
export function fromBfloat16Bits(half: number): number {
  bits[0] = half << 16;
  return float[0];
}
