import type { StepOf } from '../../preload/contract/recipe.ts';
import { factorHessian, hessianMatrix, type Hessian } from '../numeric/linearAlgebra/hessian.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { pruneMagnitude } from '../numeric/pruning/magnitude.ts';
import { applyMask, type Sparsity } from '../numeric/pruning/mask.ts';
import { pruneSparseGpt } from '../numeric/pruning/sparseGpt.ts';
import { meanSquaresOf, pruneWanda } from '../numeric/pruning/wanda.ts';
import {
  dequantize,
  withoutTrivialZeroPoints,
  type Quantized,
} from '../numeric/quantization/quantized.ts';
import { quantizeRtn } from '../numeric/quantization/rtn.ts';
import { gridOf, storeBlocks } from './blockwise.ts';
import { calibratedSeconds, hessianBytes } from './calibratedCost.ts';
import { weightBytes } from './edit.ts';
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
import { blockBytes, formatNotes } from './quantizeEach.ts';
import { relativeOutputError } from './relativeError.ts';
import { layerReport } from './reports.ts';

type Step = StepOf<'prune-sparsegpt'>;

/**
 * SparseGPT, block by block: weights that stay make up for those that go, and what a layer sees
 * comes out of layers that are pruned already. With `quantize` the weights that stay are rounded in
 * the same loop and stored in blocks. Reports the error beside that of magnitude pruning to the same
 * share.
 */
export const sparseGptPass: Pass<Step> = {
  name: 'prune-sparsegpt',
  check: checkSparse,
  estimate(input, step, tokens) {
    const { layers } = sparseLayers(input, step);
    const { added, freed } = step.quantize
      ? blockBytes(layers, step.quantize, zeroPointsOf(step.quantize))
      : { added: 0, freed: 0 };
    return {
      bytes: weightBytes(input.model) + added - freed,
      peakBytes: hessianBytes(layers, 3),
      // Three outputs' errors, and about four times N·K² in the loop over columns.
      seconds: calibratedSeconds(layers, tokens, 8),
    };
  },
  async run(input, step, context) {
    const { layers: linears, notes } = sparseLayers(input, step);
    const { model, layers } = await walkHessians(input.model, linears, context, {
      sequential: true,
      finish: (linear, sums) => pruneLayer(linear, sums, step, context),
    });
    const ofFormat = step.quantize
      ? [
          'Layers are smaller and faster because they are quantized; their zeros add nothing to that.',
          ...formatNotes(step.quantize),
        ]
      : [NO_GAIN];
    return { model, config: input.config, layers, notes: [...ofFormat, ...notes] };
  },
};

const zeroPointsOf = ({ symmetric }: { symmetric: boolean }): 'midpoint' | 'integer' =>
  symmetric ? 'midpoint' : 'integer';

async function pruneLayer(
  linear: FloatLinear,
  sums: Hessian,
  step: Step,
  context: PassContext,
): Promise<LayerChange> {
  const started = performance.now();
  const weight = readWeight(linear);
  const hessian = hessianMatrix(sums);
  const sparsity = amongUsed(stepSparsity(step), weight);
  const { pruned, quantized, note } = await pruneWeight(weight, hessian, sparsity, step, context);
  const simplest = pruneMagnitude(weight, sparsity).weight;
  const [before, after] = await relativeOutputError(
    { weight, hessian },
    [simplest, pruned],
    context,
  );
  const zeros = zerosNote(pruned);
  const loss = {
    measure: 'output',
    before,
    after,
    note: note === null ? zeros : `${zeros}; ${note}`,
  } as const;
  if (quantized === null || step.quantize === undefined) {
    return {
      edit: weightEdit(linear, pruned.data),
      report: layerReport(linear, linear.weight.bytes.length, loss, started),
    };
  }
  const { edit, bytes } = await storeBlocks(linear, quantized, step.quantize, context.signal);
  return { edit, report: layerReport(linear, bytes, loss, started) };
}

/** SparseGPT; where the Hessian cannot be factored, Wanda and round-to-nearest, which need no factor. */
async function pruneWeight(
  weight: Matrix<Float32Array>,
  hessian: Float64Array,
  sparsity: Sparsity,
  { damping, blockSize, quantize }: Step,
  { multiply, signal }: PassContext,
): Promise<{ pruned: Matrix<Float32Array>; quantized: Quantized | null; note: string | null }> {
  const { columns } = weight;
  const resolution = quantize && {
    bits: quantize.bits,
    groupSize: quantize.groupSize,
    grid: gridOf(quantize.symmetric),
  };
  const factor = await factorHessian(hessian, columns, { damp: damping, multiply, signal });
  if (factor !== null) {
    const { weight: pruned, quantized } = await pruneSparseGpt(weight, factor, {
      sparsity,
      blockSize,
      multiply,
      signal,
      ...(resolution && { quantize: resolution }),
    });
    return { pruned, quantized: quantized && withoutTrivialZeroPoints(quantized), note: null };
  }
  const note = 'pruned by Wanda: Hessian not positive definite';
  const wanda = pruneWanda(weight, meanSquaresOf(hessian, columns), sparsity);
  if (resolution === undefined) return { pruned: wanda.weight, quantized: null, note };
  const quantized = quantizeRtn(wanda.weight, resolution);
  const { weight: pruned } = applyMask(dequantize(quantized), wanda.kept);
  return { pruned, quantized, note };
}
