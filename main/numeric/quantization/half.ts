import { toBfloat16Bits, toFloat16Bits } from '../float16.ts';
import { requireFinite } from '../linearAlgebra/matrix.ts';

/** A tensor in 16 bits, and what the narrower type could not hold. */
export interface HalfValues {
  readonly bits: Uint16Array;
  /** Finite values that became infinite: |x| ≥ 65,520 in float16. Keep such a tensor in float32. */
  readonly overflows: number;
  /** Values other than 0 that became 0: |x| ≤ 2^-25 in float16. */
  readonly underflows: number;
}

/** Nearest float16 or bfloat16 of each value, halves to even. Refuses NaN and infinity. */
export function toHalf(values: Float32Array, dataType: 'float16' | 'bfloat16'): HalfValues {
  requireFinite(values, 'weights');
  const convert = dataType === 'float16' ? toFloat16Bits : toBfloat16Bits;
  const infinity = dataType === 'float16' ? 0x7c00 : 0x7f80;
  const bits = new Uint16Array(values.length);
  let overflows = 0;
  let underflows = 0;
  for (let i = 0; i < values.length; i++) {
    bits[i] = convert(values[i]);
    const magnitude = bits[i] & 0x7fff;
    if (magnitude === infinity) overflows++;
    else if (magnitude === 0 && values[i] !== 0) underflows++;
  }
  return { bits, overflows, underflows };
}
