import type {
  LayerReport,
  PassName,
  Step,
  StepEstimate,
  StepOf,
} from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import type { MatrixMultiply } from '../numeric/linearAlgebra/multiply.ts';
import type { Model } from '../onnx/model.ts';

/** What a pass takes and gives: a graph, and the config.json that belongs to it. */
export interface PassInput {
  readonly model: Model;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What a pass gives. */
export interface PassOutput extends PassInput {
  readonly layers: readonly LayerReport[];
  /** Sentences for the user: what was left out, what not to expect. */
  readonly notes: readonly string[];
}

/** Rows of float32 activations, [tokens, channels]. They are overwritten when the visit ends. */
export type Visit = (value: string, rows: Matrix<Float32Array>) => Promise<void> | void;

/** Calibration text run through a graph; implemented with the runtime by whoever runs a recipe. */
export interface Calibration {
  readonly sequences: number;
  /** Tokens of each sequence. */
  readonly length: number;
  /** Tokens in all: sequences · length. */
  readonly tokens: number;
  /** Runs all text through the whole graph and shows the named values, a batch at a time. */
  activations(model: Model, values: readonly string[], visit: Visit): Promise<void>;
  /**
   * Runs the whole model with other constants: the change is the mean KL divergence of the logits
   * from those of the model as it is, in nats, over a sample of the tokens.
   */
  divergence(model: Model, constants: readonly TrialConstant[]): Promise<Trial>;
  /** Walks the blocks one by one, so that only one block's activations are in memory. */
  blocks(model: Model): Promise<BlockWalk>;
}

/** A float32 constant that a trial may replace, by the name of the value that operators read. */
export interface TrialConstant {
  readonly name: string;
  readonly dims: readonly number[];
  /** As it is in the model. */
  readonly values: Float32Array;
}

/** Part of a model, run again and again with some constants replaced. */
export interface Trial {
  /** How much replacing these constants changes what the part gives. */
  change(replaced: ReadonlyMap<string, Float32Array>): Promise<number>;
  close(): Promise<void>;
}

/** A part of a block, between two of its values. */
export interface TrialOptions {
  readonly from: string;
  readonly to: string;
  readonly constants: readonly TrialConstant[];
}

/**
 * The hidden states of all calibration tokens before one block. Models are those of
 * `decoder.ts/blockModel`, so that a block can be changed before the walk goes through it.
 */
export interface BlockWalk {
  /** Index of the block that comes next. */
  readonly index: number;
  /** Runs the text through this block and shows its inner values; does not move on. */
  inputs(blockModel: Model, values: readonly string[], visit: Visit): Promise<void>;
  /**
   * Runs a part of this block with other constants: the change is the mean squared change of the
   * value `to`, over a sample of the tokens.
   */
  trial(blockModel: Model, options: TrialOptions): Promise<Trial>;
  /** Runs the text through the block as it is to stay; then `index` is one higher. */
  advance(blockModel: Model): Promise<void>;
  /** Shows the hidden states before the block `index`. */
  hidden(visit: Visit): Promise<void>;
  close(): Promise<void>;
}

/** What a pass may use while it runs. */
export interface PassContext {
  /** Long loops look at it at least every half second (`nextTurn` does). */
  readonly signal: AbortSignal;
  /** Share of this pass done, 0 … 1, and what it works on. */
  progress(fraction: number, detail: string): void;
  /** Reports a layer as soon as it is done. The same reports are part of the result. */
  layer(report: LayerReport): void;
  /** Made when first asked for. */
  calibration(): Promise<Calibration>;
  readonly multiply: MatrixMultiply;
  readonly seed: number;
}

/**
 * A change to a model: plain data in, plain data out. `check` refuses what cannot work before any
 * work is done (its input may be the preview of an earlier step, so weights are not to be read);
 * `ensures` refuses a result that breaks
 * what the pass promises.
 */
export interface Pass<S extends Step = Step> {
  readonly name: S['pass'];
  check(input: PassInput, step: S): void;
  /** Size, memory and time, with so many tokens of calibration text; from shapes alone. */
  estimate(input: PassInput, step: S, tokens: number): Omit<StepEstimate, 'pass'>;
  /**
   * The result as far as shapes tell, its new weights not to be read: for passes that change names
   * or shapes, so that the steps behind them are checked and estimated on what they will find.
   */
  preview?(input: PassInput, step: S): PassInput;
  run(input: PassInput, step: S, context: PassContext): Promise<PassOutput>;
  ensures?(before: PassInput, after: PassInput, step: S): void;
}

/** Passes by name; each takes the step of its own name. */
export type Passes = { readonly [Name in PassName]?: Pass<StepOf<Name>> };
