import type { StepOf } from '../../preload/contract/recipe.ts';
import { hessianMatrix } from '../numeric/linearAlgebra/hessian.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import { weightError } from '../numeric/quantization/errors.ts';
import { dequantize } from '../numeric/quantization/quantized.ts';
import { createRandom } from '../numeric/random.ts';
import type { Model } from '../onnx/model.ts';
import { weightValue } from './awqScales.ts';
import { readDecoder } from './decoder.ts';
import { edited } from './edit.ts';
import { walkHessians } from './hessianWalk.ts';
import { isFloatLinear, linearEdit, readWeight, type FloatLinear } from './linear.ts';
import type { PassContext, Trial } from './pass.ts';
import { relativeOutputError } from './relativeError.ts';
import { quantizeWith } from './mixedMethods.ts';

type Step = StepOf<'quantize-mixed'>;

/** What each number of bits would cost, layer by layer. */
export type Sensitivities = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Measures what a step's choices of bits cost each layer; 32 bits cost nothing. */
export async function measureSensitivity(
  model: Model,
  linears: readonly FloatLinear[],
  step: Step,
  context: PassContext,
): Promise<Sensitivities> {
  switch (step.sensitivity) {
    case 'weight-error':
      return eachLayer(linears, step, context, (weight, values) =>
        Promise.resolve(weightError(weight.data, values.data).relative ** 2),
      );
    case 'layer-error':
      return layerErrors(model, linears, step, context);
    case 'logit-kl':
      return withTrial(model, linears, context, (trial, constantOf) =>
        eachLayer(linears, step, context, (_, values, linear) =>
          trial.change(new Map([[constantOf(linear), values.data]])),
        ),
      );
    case 'fisher':
      return fisherErrors(model, linears, step, context);
  }
}

type Measure = (
  weight: Matrix<Float32Array>,
  values: Matrix<Float32Array>,
  linear: FloatLinear,
) => Promise<number>;

async function eachLayer(
  linears: readonly FloatLinear[],
  step: Step,
  context: PassContext,
  measure: Measure,
): Promise<Sensitivities> {
  const result = new Map<string, ReadonlyMap<number, number>>();
  for (const [index, linear] of linears.entries()) {
    context.progress(index / linears.length, `sensitivity of ${linear.name}`);
    result.set(linear.name, await costs(linear, step, context, measure));
  }
  return result;
}

/** Error of every choice of bits for one layer. */
async function costs(
  linear: FloatLinear,
  step: Step,
  { signal }: PassContext,
  measure: Measure,
): Promise<Map<number, number>> {
  const weight = readWeight(linear);
  const errors = new Map<number, number>();
  for (const bits of step.choices) {
    await nextTurn(signal);
    if (bits === 32) {
      errors.set(bits, 0);
      continue;
    }
    const { quantized } = await quantizeWith(weight, bits, step, signal);
    errors.set(bits, await measure(weight, dequantize(quantized), linear));
  }
  return errors;
}

/** Relative squared error of each layer's output, on what the unchanged layers before it give. */
async function layerErrors(
  model: Model,
  linears: readonly FloatLinear[],
  step: Step,
  context: PassContext,
): Promise<Sensitivities> {
  const { multiply, signal } = context;
  const result = new Map<string, ReadonlyMap<number, number>>();
  await walkHessians(model, linears, context, {
    sequential: false,
    async finish(linear, sums) {
      const hessian = hessianMatrix(sums);
      const errors = await costs(linear, step, context, async (weight, values) => {
        const [error] = await relativeOutputError({ weight, hessian }, [values], {
          multiply,
          signal,
        });
        return error ** 2;
      });
      result.set(linear.name, errors);
      return null;
    },
  });
  return result;
}

/** Size of the random change that the Fisher proxy is measured with, relative to the weights. */
const NUDGE = 0.02;

/**
 * ½·Σ F·ΔW² with one mean F for a layer: F is what the KL divergence of the logits says about a
 * small random change of the same weights, so that no gradients are needed.
 */
async function fisherErrors(
  model: Model,
  linears: readonly FloatLinear[],
  step: Step,
  context: PassContext,
): Promise<Sensitivities> {
  const random = createRandom(context.seed);
  return withTrial(model, linears, context, async (trial, constantOf) => {
    const perSquare = new Map<string, number>();
    for (const linear of linears) {
      const { data } = readWeight(linear);
      const square = data.reduce((sum, value) => sum + value * value, 0) / data.length;
      const size = NUDGE * Math.sqrt(square);
      const nudged = data.map((value) => value + (random.next() < 0.5 ? size : -size));
      const change = await trial.change(new Map([[constantOf(linear), nudged]]));
      perSquare.set(linear.name, size === 0 ? 0 : change / (size * size * data.length));
    }
    return eachLayer(linears, step, context, (weight, values, { name }) => {
      const { meanSquare } = weightError(weight.data, values.data);
      return Promise.resolve((perSquare.get(name) ?? 0) * meanSquare * weight.data.length);
    });
  });
}

/** Opens the whole model with the layers' weights replaceable; a tied head gets one of its own. */
async function withTrial<T>(
  model: Model,
  linears: readonly FloatLinear[],
  context: PassContext,
  use: (trial: Trial, constantOf: (linear: FloatLinear) => string) => Promise<T>,
): Promise<T> {
  const apart = untied(model);
  const names = new Map(
    readDecoder(apart)
      .linears.filter(isFloatLinear)
      .map((linear) => [linear.name, weightValue(linear)]),
  );
  const constantOf = ({ name, weight }: FloatLinear): string => names.get(name) ?? weight.name;
  const constants = linears.map((linear) => ({
    name: constantOf(linear),
    dims: [linear.rows, linear.columns],
    values: readWeight(linear).data,
  }));
  const calibration = await context.calibration();
  const trial = await calibration.divergence(apart, constants);
  try {
    return await use(trial, constantOf);
  } finally {
    await trial.close();
  }
}

/** The model with an output matrix that does not share the embedding's constant. */
function untied(model: Model): Model {
  const { head } = readDecoder(model);
  if (!head.shared || !isFloatLinear(head)) return model;
  const own = { ...head.weight, name: 'lm_head.weight' };
  const wide = 'lm_head.weight.float32';
  const cast = head.nodes.find(({ opType }) => opType === 'Cast');
  const nodes = head.nodes.map((node) =>
    node === cast
      ? { ...node, inputs: [own.name], outputs: [wide] }
      : {
          ...node,
          inputs: node.inputs.map((input) =>
            input === weightValue(head) ? (cast === undefined ? own.name : wide) : input,
          ),
        },
  );
  const removed = head.nodes.filter((node) => node !== cast);
  return edited(model, { ...linearEdit(head, { nodes, initializers: [own] }), remove: removed });
}
