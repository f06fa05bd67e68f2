import type { StepOf } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { quantizeRtn } from '../numeric/quantization/rtn.ts';
import { searchScale } from '../numeric/quantization/searchScale.ts';
import { gridOf, storeBlocks } from './blockwise.ts';
import { quantizeSlices } from './rowSlices.ts';
import { walkLayers } from './layerWalk.ts';
import { readWeight } from './linear.ts';
import type { Pass } from './pass.ts';
import { chosenLinears, estimateEach, formatNotes, quantizeEach } from './quantizeEach.ts';
import { layerReport, type Loss } from './reports.ts';

type Step = StepOf<'quantize-kquant'>;

/** Scales searched in the manner of k-quants, weighed by calibration text where that is asked for. */
export const quantizeKquantPass: Pass<Step> = {
  name: 'quantize-kquant',
  check: (input, { targets }) => void chosenLinears(input, targets),
  estimate: (input, step) =>
    estimateEach(
      input,
      step,
      step.symmetric ? 'midpoint' : 'integer',
      step.importance ? 3000 : 900,
    ),
  async run(input, step, context) {
    const { signal } = context;
    if (!step.importance) {
      return quantizeEach(input, step, context, (weight) => quantize(weight, step, signal));
    }
    const linears = chosenLinears(input, step.targets);
    const { model, layers } = await walkLayers(input.model, linears, context, {
      sequential: false,
      start: ({ columns }) => new Float64Array(columns),
      add(squares, { columns, data }) {
        for (let i = 0; i < data.length; i++) squares[i % columns] += data[i] ** 2;
      },
      async finish(linear, squares) {
        const started = performance.now();
        const found = await quantize(readWeight(linear), step, signal, squares);
        const { edit, bytes } = await storeBlocks(linear, found.quantized, step, signal);
        return { edit, report: layerReport(linear, bytes, found.loss, started) };
      },
    });
    return { model, config: input.config, layers, notes: formatNotes(step) };
  },
};

/** The searched weight; its error as the search weighs it, relative, beside round-to-nearest's. */
async function quantize(
  weight: Matrix<Float32Array>,
  step: Pick<Step, 'bits' | 'groupSize' | 'symmetric'>,
  signal: AbortSignal,
  importance?: Float64Array,
) {
  const nearest = await quantizeSlices(weight, signal, (rows) =>
    quantizeRtn(rows, { ...step, grid: gridOf(step.symmetric) }),
  );
  const { quantized, error } = await quantizeSlices(weight, signal, (rows) =>
    searchScale(rows, { ...step, ...(importance && { importance }) }),
  );
  const loss: Loss = { measure: 'weight', before: nearest.error, after: error };
  return { quantized, loss };
}
