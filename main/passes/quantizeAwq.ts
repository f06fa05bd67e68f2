import type { LayerReport, StepOf } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { applyClip, searchClip } from '../numeric/quantization/awq.ts';
import { dequantize, type Quantized } from '../numeric/quantization/quantized.ts';
import { quantizeRtn } from '../numeric/quantization/rtn.ts';
import type { Model } from '../onnx/model.ts';
import { awqGrid, foldBlock } from './awqScales.ts';
import { storeBlocks } from './blockwise.ts';
import { quantizeSlices } from './rowSlices.ts';
import { observedSeconds } from './calibratedCost.ts';
import { readDecoder } from './decoder.ts';
import { edited, type Edit } from './edit.ts';
import { byBlock } from './layerWalk.ts';
import { isFloatLinear, readWeight, type FloatLinear } from './linear.ts';
import { sampledError } from './outputError.ts';
import type { BlockWalk, Pass, PassContext } from './pass.ts';
import { chosenLinears, estimateEach, formatNotes } from './quantizeEach.ts';
import { layerReport } from './reports.ts';
import { blockModel, headModel } from './subgraphs.ts';

type Step = StepOf<'quantize-awq'>;

/** Rows of a layer's inputs that errors and clipping look at. */
const SAMPLE_ROWS = 512;

/**
 * AWQ: strong input channels are scaled up, what gives them is scaled down, and each group is
 * clipped where that loses least. The text runs through blocks that are folded, not quantized.
 */
export const quantizeAwqPass: Pass<Step> = {
  name: 'quantize-awq',
  check: (input, { targets }) => void chosenLinears(input, targets),
  estimate(input, step, tokens) {
    const linears = chosenLinears(input, step.targets);
    const weights = linears.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
    const tried = weights * step.steps * 2e-7 + (step.clip ? weights * step.groupSize * 5e-8 : 0);
    return {
      ...estimateEach(input, step, step.symmetric ? 'midpoint' : 'integer', 0),
      seconds: observedSeconds(linears, tokens) + tried,
    };
  },
  async run(input, step, context) {
    const linears = chosenLinears(input, step.targets);
    const chosen = new Set(linears.map(({ name }) => name));
    const layers: LayerReport[] = [];
    const calibration = await context.calibration();
    // Odd, so that the rows lie at all positions of the sequences: the first one is unlike the rest.
    const stride = Math.floor(calibration.tokens / SAMPLE_ROWS) | 1;
    const walk = await calibration.blocks(input.model);
    let folded = input.model;
    let model = input.model;
    try {
      for (const group of byBlock(linears)) {
        const { block } = group[0];
        const end = block ?? readDecoder(folded).blocks.length;
        while (walk.index < end) await walk.advance(blockModel(folded, walk.index));
        context.progress(layers.length / linears.length, group[0].name);
        const before = await sampleInputs(walk, part(folded, block), group, stride);
        const baseline = new Map<string, number>();
        for (const linear of group) {
          baseline.set(linear.name, await roundingError(linear, before, step, context));
        }
        const edits =
          block === null ? [] : await foldBlock(folded, block, walk, chosen, step, context);
        folded = edited(folded, ...edits);
        model = edited(model, ...edits);
        const after = await sampleInputs(walk, part(folded, block), group, stride);
        for (const { name } of group) {
          const linear = readDecoder(folded).linears.find((one) => one.name === name);
          if (linear === undefined || !isFloatLinear(linear)) continue;
          const done = await quantizeLayer(
            linear,
            after,
            step,
            context,
            baseline.get(name) ?? null,
          );
          model = edited(model, done.edit);
          layers.push(done.report);
          context.layer(done.report);
        }
      }
    } finally {
      await walk.close();
    }
    return { model, config: input.config, layers, notes: formatNotes(step) };
  },
};

const part = (model: Model, block: number | null): Model =>
  block === null ? headModel(model) : blockModel(model, block);

/** Every `stride`th row of each layer's inputs. */
async function sampleInputs(
  walk: BlockWalk,
  model: Model,
  linears: readonly FloatLinear[],
  stride: number,
): Promise<Map<string, Matrix<Float32Array>>> {
  const kept = new Map<string, Float32Array[]>();
  const seen = new Map<string, number>();
  const values = linears.map(({ input }) => input);
  await walk.inputs(model, values, (value, { rows, columns, data }) => {
    const first = seen.get(value) ?? 0;
    const list = kept.get(value) ?? [];
    for (let row = 0; row < rows; row++) {
      if ((first + row) % stride === 0) list.push(data.slice(row * columns, (row + 1) * columns));
    }
    kept.set(value, list);
    seen.set(value, first + rows);
  });
  return new Map(
    [...kept].map(([value, list]) => {
      const columns = list[0].length;
      const data = new Float32Array(list.length * columns);
      list.forEach((row, index) => data.set(row, index * columns));
      return [value, { rows: list.length, columns, data }];
    }),
  );
}

/** Error of plain rounding on the runtime's own grid. */
async function roundingError(
  linear: FloatLinear,
  inputs: ReadonlyMap<string, Matrix<Float32Array>>,
  step: Step,
  context: PassContext,
): Promise<number> {
  const weight = readWeight(linear);
  const grid = step.symmetric ? 'ort-symmetric' : 'ort-asymmetric';
  const { quantized } = await quantizeSlices(weight, context.signal, (rows) =>
    quantizeRtn(rows, { ...step, grid }),
  );
  return sampledError(inputs.get(linear.input), weight, dequantize(quantized), context);
}

async function quantizeLayer(
  linear: FloatLinear,
  inputs: ReadonlyMap<string, Matrix<Float32Array>>,
  step: Step,
  context: PassContext,
  before: number | null,
): Promise<{ edit: Edit; report: LayerReport }> {
  const started = performance.now();
  const weight = readWeight(linear);
  const sample = inputs.get(linear.input);
  const round = async (values: Matrix<Float32Array>): Promise<Quantized> =>
    (
      await quantizeSlices(values, context.signal, (rows) =>
        quantizeRtn(rows, { ...step, grid: awqGrid(step) }),
      )
    ).quantized;
  const errorOf = (found: Quantized): Promise<number> =>
    sampledError(sample, weight, dequantize(found), context);
  let quantized = await round(weight);
  let error = await errorOf(quantized);
  if (step.clip && sample !== undefined && linear.role !== 'head') {
    const clipped = await round(await clip(linear, weight, sample, step, context));
    const clippedError = await errorOf(clipped);
    if (clippedError < error) {
      quantized = clipped;
      error = clippedError;
    }
  }
  const { edit, bytes } = await storeBlocks(linear, quantized, step, context.signal);
  const note =
    linear.role === 'head'
      ? 'rounded as it stands: no layer before it takes the scales'
      : undefined;
  return {
    edit,
    report: layerReport(linear, bytes, { measure: 'output', before, after: error, note }, started),
  };
}

/** The weight with clipped groups; queries and keys are left alone, as the method asks. */
async function clip(
  { parts }: FloatLinear,
  weight: Matrix<Float32Array>,
  sample: Matrix<Float32Array>,
  step: Step,
  { signal }: PassContext,
): Promise<Matrix<Float32Array>> {
  const { columns } = weight;
  const data = weight.data.slice();
  for (const { name, from, to } of parts) {
    if (name === 'q' || name === 'k') continue;
    const range = [from * columns, to * columns] as const;
    const rows = { rows: to - from, columns, data: weight.data.subarray(...range) };
    const limits = await searchClip(rows, sample, { ...step, grid: awqGrid(step), signal });
    data.set(applyClip(rows, limits, step.groupSize).data, from * columns);
  }
  return { ...weight, data };
}
