import type { LayerReport, StepOf } from '../../preload/contract/recipe.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import { pruneMagnitude } from '../numeric/pruning/magnitude.ts';
import { weightError } from '../numeric/quantization/errors.ts';
import { edited, weightBytes, type Edit } from './edit.ts';
import { readWeight, weightEdit } from './linear.ts';
import type { Pass } from './pass.ts';
import {
  amongUsed,
  checkSparse,
  NO_GAIN,
  sparseLayers,
  stepSparsity,
  zerosNote,
} from './pruneLayout.ts';
import { layerReport } from './reports.ts';

/** Weights sorted a second, as measured on one core. */
const weightsPerSecond = 5e6;

/** Zeroes the weights of least magnitude, layer by layer. Needs no data. */
export const magnitudePass: Pass<StepOf<'prune-magnitude'>> = {
  name: 'prune-magnitude',
  check: checkSparse,
  estimate(input, step) {
    const sizes = sparseLayers(input, step).layers.map(({ rows, columns }) => rows * columns);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    return {
      bytes: weightBytes(input.model),
      // The results, and magnitudes in float64 twice (as they stand, sorted) of the largest.
      peakBytes: 4 * all + 20 * Math.max(...sizes),
      seconds: all / weightsPerSecond,
    };
  },
  async run(input, step, context) {
    const { layers: linears, notes } = sparseLayers(input, step);
    const layers: LayerReport[] = [];
    const edits: Edit[] = [];
    for (const [index, linear] of linears.entries()) {
      await nextTurn(context.signal);
      context.progress(index / linears.length, linear.name);
      const started = performance.now();
      const weight = readWeight(linear);
      const sparsity = amongUsed(stepSparsity(step), weight, step.scope);
      const { weight: pruned } = pruneMagnitude(weight, sparsity, step.scope);
      edits.push(weightEdit(linear, pruned.data));
      const loss = {
        measure: 'weight',
        before: null,
        after: weightError(weight.data, pruned.data).relative,
        note: zerosNote(pruned),
      } as const;
      const report = layerReport(linear, linear.weight.bytes.length, loss, started);
      layers.push(report);
      context.layer(report);
    }
    const model = edited(input.model, ...edits);
    return { model, config: input.config, layers, notes: [NO_GAIN, ...notes] };
  },
};
