import { clamp, roundHalfAway, roundHalfEven } from '../rounding.ts';
import { type Floats } from '../linearAlgebra/matrix.ts';

/** Scale and zero point of one group. */
export interface GroupParameters {
  scale: number;
  zeroPoint: number;
}

/**
 * One tool's way to cut a range into codes. Mixing two of them in one comparison makes a correct
 * quantizer look wrong, so each keeps its own rounding and its own treatment of the range.
 */
export interface Grid {
  /** Parameters for `length` values from `offset` on. The scale is a float32. */
  parameters(values: Floats, offset: number, length: number, bits: number): GroupParameters;
  /** Code of one value, 0 … 2^bits - 1. */
  code(value: number, parameters: GroupParameters, bits: number): number;
}

/** The conventions, by who set them. */
export type GridName =
  'ort-symmetric' | 'ort-asymmetric' | 'gptq-symmetric' | 'gptq-asymmetric' | 'awq';

const fround = Math.fround;

/** onnxruntime's: float32 throughout, halves away from zero, multiplication by the reciprocal. */
function ortCode(value: number, { scale, zeroPoint }: GroupParameters, bits: number): number {
  const reciprocal = scale === 0 ? 0 : fround(1 / scale);
  const scaled = fround(fround(fround(value) * reciprocal) + zeroPoint);
  return clamp(roundHalfAway(scaled), 0, (1 << bits) - 1);
}

/** The GPTQ family's: division, halves to even, the zero point added after rounding. */
function researchCode(value: number, { scale, zeroPoint }: GroupParameters, bits: number): number {
  return clamp(roundHalfEven(value / scale) + zeroPoint, 0, (1 << bits) - 1);
}

/** The grids of onnxruntime's MatMulNBits quantizer, GPTQ's Quantizer and AWQ's pseudo-quantizer. */
export const grids: Readonly<Record<GridName, Grid>> = {
  /** The value of largest magnitude becomes code 0 exactly; the other end may clip by one step. */
  'ort-symmetric': {
    parameters(values, offset, length, bits) {
      const { low, high } = rangeOf(values, offset, length);
      const extreme = Math.abs(high) > Math.abs(low) ? high : low;
      const zeroPoint = 2 ** (bits - 1);
      return { scale: normalOrZero(fround(fround(extreme) / -zeroPoint)), zeroPoint };
    },
    code: ortCode,
  },
  /** The range always holds 0, and the zero point is a whole code. */
  'ort-asymmetric': {
    parameters(values, offset, length, bits) {
      const { low, high } = rangeOf(values, offset, length);
      const least = fround(Math.min(low, 0));
      const range = fround(fround(Math.max(high, 0)) - least);
      const scale = normalOrZero(fround(range / ((1 << bits) - 1)));
      const zeroPoint = scale === 0 ? 0 : roundHalfAway(fround(0 - fround(least / scale)));
      return { scale, zeroPoint: clamp(zeroPoint, 0, (1 << bits) - 1) };
    },
    code: ortCode,
  },
  /** Widened to ± the largest magnitude; an all-zero group uses [-1, 1]. */
  'gptq-symmetric': {
    parameters(values, offset, length, bits) {
      const { low, high } = rangeOf(values, offset, length);
      const limit = Math.max(Math.abs(low), Math.abs(high), 0);
      return gptqParameters(-limit, limit, bits, 2 ** (bits - 1));
    },
    code: researchCode,
  },
  'gptq-asymmetric': {
    parameters(values, offset, length, bits) {
      const { low, high } = rangeOf(values, offset, length);
      return gptqParameters(Math.min(low, 0), Math.max(high, 0), bits, null);
    },
    code: researchCode,
  },
  /** The range need not hold 0: the zero point is clamped instead. */
  awq: {
    parameters(values, offset, length, bits) {
      const { low, high } = rangeOf(values, offset, length);
      const scale = fround(Math.max(high - low, 1e-5) / ((1 << bits) - 1));
      return { scale, zeroPoint: clamp(-roundHalfEven(low / scale), 0, (1 << bits) - 1) + 0 };
    },
    code: researchCode,
  },
};

function gptqParameters(
  low: number,
  high: number,
  bits: number,
  fixedZeroPoint: number | null,
): GroupParameters {
  const top = (1 << bits) - 1;
  let range = high - low;
  let from = low;
  // Denormal ranges would give a scale of 0: treat them like an all-zero group.
  if (fround(range / top) < smallestScale) {
    range = 2;
    from = -1;
  }
  const scale = fround(range / top);
  return { scale, zeroPoint: fixedZeroPoint ?? roundHalfEven(-from / scale) };
}

/** The smallest normal float32: smaller scales lose digits, and their reciprocals overflow. */
const smallestScale = 2 ** -126;

/** Also makes -0 of a group of zeros 0, so that equal weights give equal files. */
function normalOrZero(scale: number): number {
  return Math.abs(scale) < smallestScale ? 0 : scale;
}

function rangeOf(values: Floats, offset: number, length: number): { low: number; high: number } {
  let low = values[offset];
  let high = low;
  for (let i = offset + 1; i < offset + length; i++) {
    const value = values[i];
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  return { low, high };
}
