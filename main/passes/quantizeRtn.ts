import type { StepOf } from '../../preload/contract/recipe.ts';
import { quantizeRtn } from '../numeric/quantization/rtn.ts';
import { gridOf } from './blockwise.ts';
import { quantizeSlices } from './rowSlices.ts';
import type { Pass } from './pass.ts';
import { chosenLinears, estimateEach, quantizeEach } from './quantizeEach.ts';

/** Round to nearest, with onnxruntime's own grids. */
export const quantizeRtnPass: Pass<StepOf<'quantize-rtn'>> = {
  name: 'quantize-rtn',
  check: (input, { targets }) => void chosenLinears(input, targets),
  estimate: (input, step) => estimateEach(input, step, step.symmetric ? 'midpoint' : 'integer', 60),
  run: (input, step, context) =>
    quantizeEach(input, step, context, async (weight) => {
      const { quantized, error } = await quantizeSlices(weight, context.signal, (rows) =>
        quantizeRtn(rows, { ...step, grid: gridOf(step.symmetric) }),
      );
      return { quantized, loss: { measure: 'weight', before: null, after: error } };
    }),
};
