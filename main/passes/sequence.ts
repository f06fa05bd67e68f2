import { LatheError } from '../../preload/contract/errors.ts';
import type {
  LayerReport,
  PassReport,
  Recipe,
  RecipeEstimate,
  Step,
  StepEstimate,
} from '../../preload/contract/recipe.ts';
import { checkModel } from '../onnx/check.ts';
import type { Model, ValueInfo } from '../onnx/model.ts';
import { isFused, readDecoder } from './decoder.ts';
import { weightBytes } from './edit.ts';
import { passOf } from './index.ts';
import { isFloatTensor, readFloats } from './linear.ts';
import { previewOf } from './preview.ts';
import type { Calibration, Pass, PassContext, PassInput, PassOutput, Passes } from './pass.ts';
import { nextTurn, type MatrixMultiply } from '../numeric/linearAlgebra/multiply.ts';

/** What whoever runs a recipe provides, and what he is told. */
export interface SequenceContext {
  readonly signal: AbortSignal;
  readonly multiply: MatrixMultiply;
  readonly seed: number;
  /** Made when a pass first asks for it. */
  calibration(): Promise<Calibration>;
  /** Share of the whole recipe done, 0 … 1; the step at work; what it works on. */
  progress(fraction: number, step: number, detail: string): void;
  layer(step: number, report: LayerReport): void;
  /**
   * Called when a step is done, before the next begins: the place to keep its result. Where it gives
   * the result as it was kept, the next step goes on with that, as it would after a crash.
   */
  onPassDone?(
    step: number,
    output: PassInput,
    report: PassReport,
  ): Promise<PassInput | void> | PassInput | void;
}

/** Where to begin: after a crash, behind the last step whose result was kept. */
export interface Resume {
  /** Index of the first step still to run. */
  readonly from: number;
  /** Reports of the steps before. */
  readonly reports: readonly PassReport[];
}

/** What a recipe gave. */
export interface SequenceResult extends PassInput {
  readonly passes: readonly PassReport[];
}

/**
 * Refuses a recipe that cannot work, before any work is done: unknown passes, targets that match
 * nothing, options that do not fit the model, weights with NaN or infinity (named by tensor).
 */
export async function checkRecipe(
  input: PassInput,
  recipe: Recipe,
  signal?: AbortSignal,
  passes?: Passes,
): Promise<void> {
  checkModel(input.model, 'the model');
  throughSteps(input, recipe, () => {}, passes);
  await checkWeights(input.model, signal);
}

/** Runs the steps of a recipe one after the other. The model that comes in is not changed. */
export async function runRecipe(
  input: PassInput,
  recipe: Recipe,
  context: SequenceContext,
  { from, reports }: Resume = { from: 0, reports: [] },
  passes?: Passes,
): Promise<SequenceResult> {
  const steps = recipe.passes;
  if (from === 0) await checkRecipe(input, recipe, context.signal, passes);
  // How long each step takes: as it took, or as it is expected to.
  const weights = reports.map(({ seconds }) => seconds);
  throughSteps(
    input,
    recipe,
    (pass, found, step) =>
      weights.push(Math.max(0.01, pass.estimate(found, step, tokensOf(recipe)).seconds)),
    passes,
    from,
  );
  const total = sumOf(weights);
  const done: PassReport[] = [...reports];
  let state: PassInput = { model: input.model, config: input.config };
  for (const [index, step] of steps.entries()) {
    if (index < from) continue;
    await nextTurn(context.signal);
    const before = sumOf(weights.slice(0, index));
    const progress = (fraction: number, detail: string): void =>
      context.progress((before + clamp(fraction) * weights[index]) / total, index, detail);
    progress(0, step.pass);
    const { output, report } = await runStep(state, index, step, context, progress, passes);
    done.push(report);
    state = { model: output.model, config: output.config };
    state = (await context.onPassDone?.(index, state, report)) ?? state;
    progress(1, step.pass);
  }
  return { ...state, passes: done };
}

async function runStep(
  before: PassInput,
  index: number,
  step: Step,
  context: SequenceContext,
  progress: PassContext['progress'],
  passes?: Passes,
): Promise<{ output: PassOutput; report: PassReport }> {
  const pass = requirePass(step, passes);
  const started = performance.now();
  try {
    // What came before may have changed what this step finds.
    pass.check(before, step);
    const output = await pass.run(before, step, {
      signal: context.signal,
      multiply: context.multiply,
      seed: context.seed,
      calibration: () => context.calibration(),
      progress,
      layer: (report) => context.layer(index, report),
    });
    ensure(before, output, step, pass);
    const report = {
      step,
      seconds: (performance.now() - started) / 1000,
      bytesBefore: weightBytes(before.model),
      bytes: weightBytes(output.model),
      layers: [...output.layers],
      notes: [...output.notes],
    };
    return { output, report };
  } catch (error) {
    throw ofStep(error, index, step);
  }
}

/** Predicts size, memory and time of a recipe from shapes alone. */
export function estimateRecipe(input: PassInput, recipe: Recipe, passes?: Passes): RecipeEstimate {
  const bytesBefore = weightBytes(input.model);
  const steps: StepEstimate[] = [];
  let bytes = bytesBefore;
  throughSteps(
    input,
    recipe,
    (pass, state, step) => {
      const estimate = pass.estimate(state, step, tokensOf(recipe));
      // Without a preview a pass sees the weights as they are now: what steps save adds up.
      bytes = Math.max(0, bytes + estimate.bytes - weightBytes(state.model));
      steps.push({ ...estimate, pass: step.pass, bytes });
    },
    passes,
  );
  return {
    steps,
    bytesBefore,
    bytes,
    peakBytes: Math.max(...steps.map((step) => step.peakBytes)),
    seconds: sumOf(steps.map((step) => step.seconds)),
  };
}

const tokensOf = ({ calibration: { sequences, length } }: Recipe): number => sequences * length;

/** Refuses weights with NaN or infinity, naming the tensor; lets the event loop run between them. */
export async function checkWeights({ graph }: Model, signal?: AbortSignal): Promise<void> {
  for (const tensor of graph.initializers.values()) {
    await nextTurn(signal);
    if (isFloatTensor(tensor)) readFloats(tensor);
  }
}

/** What every pass promises: a sound graph that takes and gives the same as before. */
function ensure(before: PassInput, after: PassInput, step: Step, pass: Pass): void {
  checkModel(after.model, 'the result');
  // Turning one form into another changes what the graph takes, and nothing else may.
  if (step.pass !== 'fuse' && step.pass !== 'unfuse') {
    const [was, is] = [before, after].map(({ model }) => portNames(model));
    const gone = was.find((name) => !is.includes(name) && !isCache(name));
    const added = is.find((name) => !was.includes(name));
    if (gone !== undefined || added !== undefined) {
      throw new LatheError('internal', `the pass changed what the graph takes or gives`, {
        value: gone ?? added ?? '',
      });
    }
  }
  // Sizes that do not fit each other are refused by whoever reads the decoder.
  if (step.pass === 'fuse' || (step.pass !== 'unfuse' && isFused(before.model))) {
    readDecoder(after.model);
  }
  pass.ensures?.(before, after, step);
}

/** Names of inputs and outputs; those of a layer that was taken out may be missing. */
function portNames({ graph }: Model): string[] {
  return [...labelled(graph.inputs, 'input'), ...labelled(graph.outputs, 'output')];
}

const labelled = (ports: readonly ValueInfo[], side: string): string[] =>
  ports.map(({ name }) => `${side} ${name}`);

const isCache = (name: string): boolean => /^(input past_key_values|output present)\./.test(name);

function requirePass(step: Step, passes?: Passes): Pass {
  const pass = passOf(step, passes);
  if (pass !== undefined) return pass;
  throw new LatheError('usage', `there is no such pass: ${step.pass}`, { value: step.pass });
}

/** A failure says which step it belongs to. */
function ofStep(error: unknown, index: number, step: Step): unknown {
  if (!(error instanceof LatheError) || error.code === 'cancelled') return error;
  const message = `step ${index + 1} (${step.pass}): ${error.message}`;
  return new LatheError(error.code, message, error.data, { cause: error });
}

/** Goes through the steps with what each will find, from previews of those before. */
function throughSteps(
  input: PassInput,
  recipe: Recipe,
  visit: (pass: Pass, state: PassInput, step: Step) => void,
  passes?: Passes,
  from = 0,
): void {
  let state = input;
  for (const [index, step] of recipe.passes.entries()) {
    if (index < from) continue;
    try {
      const pass = requirePass(step, passes);
      pass.check(state, step);
      visit(pass, state, step);
      state = previewOf(pass, state, step);
    } catch (error) {
      throw ofStep(error, index, step);
    }
  }
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

const clamp = (fraction: number): number => Math.min(1, Math.max(0, fraction));
