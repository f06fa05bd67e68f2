import type { StepOf } from '../../preload/contract/recipe.ts';
import { hessianMatrix, type Hessian } from '../numeric/linearAlgebra/hessian.ts';
import { pruneMagnitude } from '../numeric/pruning/magnitude.ts';
import { meanSquaresOf, pruneWanda } from '../numeric/pruning/wanda.ts';
import { weightBytes } from './edit.ts';
import { calibratedSeconds, hessianBytes } from './calibratedCost.ts';
import { walkHessians } from './hessianWalk.ts';
import type { LayerChange } from './layerWalk.ts';
import { readWeight, weightEdit, type FloatLinear } from './linear.ts';
import type { Pass, PassContext } from './pass.ts';
import {
  amongUsed,
  checkSparse,
  NO_GAIN,
  sparseLayers,
  stepSparsity,
  zerosNote,
} from './pruneLayout.ts';
import { relativeOutputError } from './relativeError.ts';
import { layerReport } from './reports.ts';

/**
 * Wanda, block by block: what a layer sees comes out of layers that are pruned already. Reports the
 * error of the layer's output beside that of magnitude pruning to the same share.
 */
export const wandaPass: Pass<StepOf<'prune-wanda'>> = {
  name: 'prune-wanda',
  check: checkSparse,
  estimate(input, step, tokens) {
    const { layers } = sparseLayers(input, step);
    return {
      bytes: weightBytes(input.model),
      peakBytes: hessianBytes(layers, 2),
      // Two outputs' errors of N·K² each.
      seconds: calibratedSeconds(layers, tokens, 3),
    };
  },
  async run(input, step, context) {
    const { layers: linears, notes } = sparseLayers(input, step);
    const { model, layers } = await walkHessians(input.model, linears, context, {
      sequential: true,
      finish: (linear, sums) => pruneLayer(linear, sums, step, context),
    });
    return { model, config: input.config, layers, notes: [NO_GAIN, ...notes] };
  },
};

async function pruneLayer(
  linear: FloatLinear,
  sums: Hessian,
  step: StepOf<'prune-wanda'>,
  context: PassContext,
): Promise<LayerChange> {
  const started = performance.now();
  const weight = readWeight(linear);
  const hessian = hessianMatrix(sums);
  const meanSquares = meanSquaresOf(hessian, weight.columns);
  const { weight: pruned } = pruneWanda(
    weight,
    meanSquares,
    amongUsed(stepSparsity(step), weight, 'row'),
  );
  const simplest = pruneMagnitude(weight, amongUsed(stepSparsity(step), weight)).weight;
  const [before, after] = await relativeOutputError(
    { weight, hessian },
    [simplest, pruned],
    context,
  );
  const loss = { measure: 'output', before, after, note: zerosNote(pruned) } as const;
  return {
    edit: weightEdit(linear, pruned.data),
    report: layerReport(linear, linear.weight.bytes.length, loss, started),
  };
}
