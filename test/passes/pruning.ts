import {
  stepSchema,
  type PassName,
  type Step,
  type StepInput,
} from '../../preload/contract/recipe.ts';
import { checkModel } from '../../main/onnx/check.ts';
import type { Model } from '../../main/onnx/model.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { edited } from '../../main/passes/edit.ts';
import { floatTensor, isFloatLinear, readWeight } from '../../main/passes/linear.ts';
import type { Pass, PassInput, PassOutput } from '../../main/passes/pass.ts';
import { blockModel } from '../../main/passes/subgraphs.ts';
import { floatsOf, GraphRun } from '../architectures/graphRun.ts';
import { calibratedContext } from './calibrated.ts';

const prompt = [1, 17, 33, 5, 5, 38, 0, 22, 9];

/** A step as recipes may write it, defaults filled in. */
export const stepOf = <Name extends PassName>(
  step: StepInput & { pass: Name },
): Extract<Step, { pass: Name }> => stepSchema.parse(step) as Extract<Step, { pass: Name }>;

/** Checks and runs a pass on random calibration text, and holds the result to be a sound decoder. */
export async function runPass<S extends Step>(
  pass: Pass<S>,
  input: PassInput,
  step: S,
): Promise<PassOutput> {
  pass.check(input, step);
  const output = await pass.run(input, step, calibratedContext());
  checkModel(output.model, 'the result');
  readDecoder(output.model);
  return output;
}

/** Logits of a prompt read in two pieces, so that the cache takes part. */
export async function logitsOf(model: Model): Promise<Float32Array> {
  const run = await GraphRun.of(model);
  await run.step([prompt.slice(0, 5)]);
  const logits = floatsOf((await run.step([prompt.slice(5)]))['logits']).slice();
  await run.close();
  return logits;
}

/** ‖y − ŷ‖ / ‖y‖ of a value of block 0 over calibration text, in two models. */
export async function changeOf(before: Model, after: Model, value: string): Promise<number> {
  const calibration = await calibratedContext().calibration();
  const walk = await calibration.blocks(before);
  const shown: number[][] = [];
  for (const model of [before, after]) {
    const values: number[] = [];
    await walk.inputs(blockModel(model, 0), [value], (_, { data }) => {
      for (const one of data) values.push(one);
    });
    shown.push(values);
  }
  await walk.close();
  const [was, is] = shown;
  return Math.hypot(...was.map((one, at) => one - is[at])) / Math.hypot(...was);
}

/** The model with some columns of a layer's weight set to zero. */
export function withZeroColumns(model: Model, layer: string, columns: ReadonlySet<number>): Model {
  const linear = readDecoder(model).linears.find(({ name }) => name === layer);
  if (linear === undefined || !isFloatLinear(linear)) throw new Error(`no float layer: ${layer}`);
  const { data } = readWeight(linear);
  const values = data.map((value, at) => (columns.has(at % linear.columns) ? 0 : value));
  return edited(model, {
    initializers: [floatTensor(linear.weight, values, linear.weight.dims)],
  });
}

/** The weight of a layer, [N, K]. */
export function weightOf(model: Model, layer: string): Float32Array {
  const linear = readDecoder(model).linears.find(({ name }) => name === layer);
  if (linear === undefined || !isFloatLinear(linear)) throw new Error(`no float layer: ${layer}`);
  return readWeight(linear).data;
}

/** Numbers `from` … `from + count - 1`. */
export const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i);
