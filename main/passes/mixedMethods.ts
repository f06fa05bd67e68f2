import type { StepOf } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { quantizeHqq } from '../numeric/quantization/hqq.ts';
import { quantizeRtn } from '../numeric/quantization/rtn.ts';
import { searchScale } from '../numeric/quantization/searchScale.ts';
import type { ZeroPoints } from '../numeric/quantization/quantized.ts';
import { gridOf } from './blockwise.ts';
import { quantizeSlices, type QuantizedSlices } from './rowSlices.ts';

type Step = StepOf<'quantize-mixed'>;

/** Bits that a layer in codes may have. */
export type CodeBits = Exclude<Step['choices'][number], 32>;

/**
 * Quantizes a weight with the step's method, where that needs no inputs; GPTQ is stood for by
 * rounding. HQQ's float zero points work up to 4 bits: at 8 bits rounding takes its place.
 */
export function quantizeWith(
  weight: Matrix<Float32Array>,
  bits: CodeBits,
  { method, groupSize, symmetric }: Step,
  signal: AbortSignal,
): Promise<QuantizedSlices> {
  const resolution = { bits, groupSize };
  return quantizeSlices(weight, signal, (rows) => {
    if (method === 'kquant') return searchScale(rows, { ...resolution, symmetric });
    if (method === 'hqq' && bits !== 8) return quantizeHqq(rows, resolution).quantized;
    return quantizeRtn(rows, { ...resolution, grid: gridOf(symmetric) });
  });
}

/** How a layer's zero points are stored under the step's method. */
export function zeroPointKind({ method, symmetric }: Step, bits: CodeBits): ZeroPoints['kind'] {
  if (method === 'hqq' && bits !== 8) return 'float';
  return symmetric ? 'midpoint' : 'integer';
}
