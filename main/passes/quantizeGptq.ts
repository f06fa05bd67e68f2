import type { StepOf } from '../../preload/contract/recipe.ts';
import { factorHessian, hessianMatrix, type Hessian } from '../numeric/linearAlgebra/hessian.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { outputError, weightError } from '../numeric/quantization/errors.ts';
import { quantizeGptq, type GptqResult } from '../numeric/quantization/gptq.ts';
import { dequantize } from '../numeric/quantization/quantized.ts';
import { searchScale } from '../numeric/quantization/searchScale.ts';
import { gridOf, storeBlocks } from './blockwise.ts';
import { quantizeSlices } from './rowSlices.ts';
import { calibratedSeconds } from './calibratedCost.ts';
import { readWeight, type FloatLinear } from './linear.ts';
import { walkHessians } from './hessianWalk.ts';
import type { LayerChange } from './layerWalk.ts';
import type { Pass, PassContext } from './pass.ts';
import { blockBytes, chosenLinears, estimateEach, formatNotes } from './quantizeEach.ts';
import { layerReport, type Loss } from './reports.ts';

type Step = StepOf<'quantize-gptq'>;

/** GPTQ through the blocks; every layer is held against round-to-nearest, and the better one kept. */
export const quantizeGptqPass: Pass<Step> = {
  name: 'quantize-gptq',
  check: (input, { targets }) => void chosenLinears(input, targets),
  estimate(input, step, tokens) {
    const linears = chosenLinears(input, step.targets);
    const { added } = blockBytes(linears, step, step.symmetric ? 'midpoint' : 'integer');
    const { bytes } = estimateEach(input, step, step.symmetric ? 'midpoint' : 'integer', 0);
    const widest = Math.max(...linears.map(({ columns }) => columns));
    const largest = Math.max(...linears.map(({ rows, columns }) => rows * columns));
    return {
      bytes,
      peakBytes: added + 4 * 8 * widest * widest + 24 * largest,
      // The loop, the comparison with rounding, and the size of the output: half, half and one.
      seconds: calibratedSeconds(linears, tokens, 2),
    };
  },
  async run(input, step, context) {
    const linears = chosenLinears(input, step.targets);
    const { model, layers } = await walkHessians(input.model, linears, context, {
      sequential: step.trueSequential,
      finish: (linear, hessian) => quantizeLayer(linear, hessian, step, context),
    });
    return { model, config: input.config, layers, notes: formatNotes(step) };
  },
};

async function quantizeLayer(
  linear: FloatLinear,
  hessian: Hessian,
  step: Step,
  context: PassContext,
): Promise<LayerChange> {
  const started = performance.now();
  const weight = readWeight(linear);
  const matrix = hessianMatrix(hessian);
  const result = await gptq(weight, matrix, step, context);
  const { edit, bytes } = await storeBlocks(linear, result.quantized, step, context.signal);
  const loss = await lossOf(weight, matrix, result, context);
  return { edit, report: layerReport(linear, bytes, loss, started) };
}

/** GPTQ of one weight [N, K] under H [K, K], with the options of a step. */
export async function gptq(
  weight: Matrix<Float32Array>,
  hessian: Float64Array,
  step: Pick<
    Step,
    'bits' | 'groupSize' | 'symmetric' | 'damping' | 'blockSize' | 'activationOrder' | 'scaleSearch'
  >,
  { multiply, signal }: Pick<PassContext, 'multiply' | 'signal'>,
): Promise<GptqResult> {
  const { bits, groupSize, symmetric, damping, blockSize, activationOrder, scaleSearch } = step;
  const { columns } = weight;
  const factor = await factorHessian(hessian, columns, {
    damp: damping,
    activationOrder,
    multiply,
    signal,
  });
  const importance = Float64Array.from({ length: columns }, (_, i) => hessian[i * columns + i]);
  const search = scaleSearch
    ? await quantizeSlices(weight, signal, (rows) =>
        searchScale(rows, { bits, groupSize, symmetric, importance }),
      )
    : null;
  return quantizeGptq(weight, factor, {
    bits,
    groupSize,
    blockSize,
    multiply,
    signal,
    grid: gridOf(symmetric),
    ...(search && { parameters: search.quantized }),
  });
}

/** Relative output errors of round-to-nearest and of what was kept. */
export async function lossOf(
  weight: Matrix<Float32Array>,
  hessian: Float64Array,
  { quantized, kept, reason, error }: GptqResult,
  run: Pick<PassContext, 'multiply' | 'signal'>,
): Promise<Loss> {
  const note = kept === 'gptq' ? undefined : `kept round-to-nearest: ${reason}`;
  if (error === null) {
    const { relative } = weightError(weight.data, dequantize(quantized).data);
    return { measure: 'weight', before: relative, after: relative, note };
  }
  const zero = { ...weight, data: new Float32Array(weight.data.length) };
  const power = await outputError(weight, zero, hessian, run);
  const relative = (square: number): number => (square === 0 ? 0 : Math.sqrt(square / power));
  return {
    measure: 'output',
    before: relative(error.rtn),
    after: relative(error[kept]),
    note,
  };
}
