import { type Matrix } from '../linearAlgebra/matrix.ts';
import { clamp, roundHalfEven } from '../rounding.ts';
import { groupsPerRow, prepareQuantized, type Quantized, type Resolution } from './quantized.ts';

/** Options of HQQ; the defaults are the library's. */
export interface HqqOptions extends Resolution {
  /** At most this many improvements of the zero points. Default 20. */
  readonly iterations?: number;
}

/** The codes, and mean |w - ŵ| before each improvement. */
export interface HqqResult {
  readonly quantized: Quantized;
  readonly trace: readonly number[];
}

const shrinkPower = 0.7;
const firstBeta = 10;
const betaGrowth = 1.01;

/**
 * Half-quadratic quantization (Badri and Shaji, 2023; mobiusml/hqq): [N, K] without data. Scales
 * stay, float zero points are improved by alternating a shrinkage of the error, which lets large
 * errors stand (‖·‖_p with p = 0.7), with a least-squares zero point. float64 inside.
 * The result has float zero points, which MatMulNBits takes for 2 and 4 bits.
 */
export function quantizeHqq(weight: Matrix, options: HqqOptions): HqqResult {
  const { bits, iterations = 20 } = options;
  const quantized = prepareQuantized(weight, options, 'float');
  const { columns, groupSize, codes, scales, zeroPoints } = quantized;
  const top = 2 ** bits - 1;
  const perRow = groupsPerRow(quantized);
  const groups = Array.from({ length: scales.length }, (_, index) => {
    const start = (index % perRow) * groupSize;
    const offset = Math.floor(index / perRow) * columns + start;
    return { offset, end: offset + Math.min(groupSize, columns - start) };
  });
  const inverses = new Float64Array(scales.length);
  const zeros = new Float64Array(scales.length);
  groups.forEach(({ offset, end }, index) => {
    let low = Infinity;
    let high = -Infinity;
    for (let i = offset; i < end; i++) {
      low = Math.min(low, weight.data[i]);
      high = Math.max(high, weight.data[i]);
    }
    const range = high - low;
    inverses[index] = range <= 1e-4 ? 1 : Math.min(top / range, 2e4);
    zeros[index] = -low * inverses[index];
  });

  const trace: number[] = [];
  let beta = firstBeta;
  for (let iteration = 0; iteration < iterations; iteration++) {
    let error = 0;
    for (let index = 0; index < groups.length; index++) {
      const { offset, end } = groups[index];
      const inverse = inverses[index];
      const zero = zeros[index];
      let sum = 0;
      for (let i = offset; i < end; i++) {
        const value = weight.data[i];
        const code = clamp(roundHalfEven(value * inverse + zero), 0, top);
        const difference = value - (code - zero) / inverse;
        error += Math.abs(difference);
        sum += code - (value - shrink(difference, beta)) * inverse;
      }
      zeros[index] = sum / (end - offset);
    }
    beta *= betaGrowth;
    const mean = error / weight.data.length;
    const improved = trace.length === 0 || mean < trace[trace.length - 1];
    trace.push(mean);
    if (!improved) break;
  }

  groups.forEach(({ offset, end }, index) => {
    scales[index] = 1 / inverses[index];
    zeroPoints.values[index] = zeros[index];
    for (let i = offset; i < end; i++) {
      codes[i] = clamp(roundHalfEven(weight.data[i] * inverses[index] + zeros[index]), 0, top);
    }
  });
  return { quantized, trace };
}

/** Generalised soft threshold of the p-norm: sign(d) · max(0, |d| - |d|^(p-1) / β). */
function shrink(difference: number, beta: number): number {
  const magnitude = Math.abs(difference);
  // The power is infinite at 0: nothing is left of it.
  if (magnitude === 0) return 0;
  const left = magnitude - magnitude ** (shrinkPower - 1) / beta;
  return left <= 0 ? 0 : difference < 0 ? -left : left;
}
