import type { StepOf } from '../../preload/contract/recipe.ts';
import { quantizeHqq } from '../numeric/quantization/hqq.ts';
import { quantizeRtn } from '../numeric/quantization/rtn.ts';
import { gridOf } from './blockwise.ts';
import { quantizeSlices } from './rowSlices.ts';
import type { Pass } from './pass.ts';
import { chosenLinears, estimateEach, quantizeEach } from './quantizeEach.ts';

const format = 'matmulnbits';

/** Half-quadratic quantization: float zero points, no data. */
export const quantizeHqqPass: Pass<StepOf<'quantize-hqq'>> = {
  name: 'quantize-hqq',
  check: (input, { targets }) => void chosenLinears(input, targets),
  estimate: (input, step) => estimateEach(input, { ...step, format }, 'float', 700),
  run: (input, step, context) =>
    quantizeEach(input, { ...step, format }, context, async (weight) => {
      const { signal } = context;
      const nearest = await quantizeSlices(weight, signal, (rows) =>
        quantizeRtn(rows, { ...step, grid: gridOf(false) }),
      );
      const { quantized, error } = await quantizeSlices(
        weight,
        signal,
        (rows) => quantizeHqq(rows, step).quantized,
      );
      return { quantized, loss: { measure: 'weight', before: nearest.error, after: error } };
    }),
};
