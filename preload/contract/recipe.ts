import * as z from 'zod';
import { formSteps } from './steps/form.ts';
import { pruneSteps } from './steps/prune.ts';
import { quantizeSteps } from './steps/quantize.ts';

/** One pass with its options. */
export const stepSchema = z.discriminatedUnion('pass', [
  ...formSteps,
  ...quantizeSteps,
  ...pruneSteps,
]);
export type Step = z.infer<typeof stepSchema>;
/** A step as it may be written: options that have a default may be left out. */
export type StepInput = z.input<typeof stepSchema>;
/** Name of a pass. */
export type PassName = Step['pass'];
/** The options of one pass. */
export type StepOf<Name extends PassName> = Extract<Step, { pass: Name }>;

/** The text whose activations calibrated passes look at. */
export const calibrationOptionsSchema = z
  .strictObject({
    data: z
      .string()
      .min(1)
      .default('stories')
      .describe('Name of a built-in set, or the path of a text file in UTF-8.'),
    sequences: z.int().min(1).max(4096).default(64).describe('How many pieces of the text.'),
    length: z.int().min(8).max(8192).default(256).describe('Tokens of each piece.'),
    seed: z.int().min(0).max(0xffffffff).default(0).describe('Chooses the pieces.'),
  })
  .describe('The text whose activations calibrated passes look at.');
export type CalibrationOptions = z.infer<typeof calibrationOptionsSchema>;

/** What turns a model into a variant. */
export const recipeSchema = z
  .strictObject({
    name: z.string().min(1).max(120).describe('Names the recipe and, by default, the variant.'),
    description: z.string().max(2000).optional().describe('What it is good for, in a sentence.'),
    calibration: calibrationOptionsSchema.prefault({}),
    passes: z.array(stepSchema).min(1).max(100).describe('Run in this order.'),
  })
  .describe('A list of passes that turns a model into a variant.');
export type Recipe = z.infer<typeof recipeSchema>;
export type RecipeInput = z.input<typeof recipeSchema>;

/** The schema for editors: completion, hover texts, errors in place. */
export function recipeJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(recipeSchema, { io: 'input', target: 'draft-7' });
}

/** What a pass did to one layer. */
export const layerReportSchema = z.object({
  /** Hook name: `blocks.3.mlp.down`. */
  layer: z.string(),
  /**
   * `output`: ‖XW − XŴ‖ / ‖XW‖ over calibration tokens; `weight`: ‖W − Ŵ‖ / ‖W‖. Both before and
   * after are of this measure.
   */
  measure: z.enum(['output', 'weight']),
  /** Error of the simplest method (or of the layer as it came); null where there is none to tell. */
  errorBefore: z.number().nullable(),
  errorAfter: z.number().nullable(),
  /** Bits per weight of the result, scales and zero points included. */
  bits: z.number(),
  bytesBefore: z.number(),
  bytes: z.number(),
  seconds: z.number(),
  note: z.string().optional(),
  /** How sensitive the layer is: what each number of bits would take and cost (`quantize-mixed`). */
  sensitivity: z
    .array(z.object({ bits: z.number(), bytes: z.number(), error: z.number() }))
    .optional(),
});
export type LayerReport = z.infer<typeof layerReportSchema>;

/** What one step of a recipe did. */
export const passReportSchema = z.object({
  /** Options as they were used. */
  step: stepSchema,
  seconds: z.number(),
  /** Bytes of all constants of the graph. */
  bytesBefore: z.number(),
  bytes: z.number(),
  layers: z.array(layerReportSchema),
  notes: z.array(z.string()),
});
export type PassReport = z.infer<typeof passReportSchema>;

/** What a dry run predicts of one step. */
export const stepEstimateSchema = z.object({
  pass: z.string(),
  /** Bytes of the model after it. */
  bytes: z.number(),
  /** Most memory the step takes besides the model’s mapped weights. */
  peakBytes: z.number(),
  seconds: z.number(),
});
export type StepEstimate = z.infer<typeof stepEstimateSchema>;

/** What a dry run predicts of a recipe. */
export const recipeEstimateSchema = z.object({
  steps: z.array(stepEstimateSchema),
  bytesBefore: z.number(),
  bytes: z.number(),
  peakBytes: z.number(),
  seconds: z.number(),
});
export type RecipeEstimate = z.infer<typeof recipeEstimateSchema>;

/** Whether a step looks at activations of calibration text. */
export function needsCalibration(one: Step): boolean {
  switch (one.pass) {
    case 'quantize-gptq':
    case 'quantize-awq':
    case 'quantize-int8-static':
    case 'smooth-quant':
    case 'prune-wanda':
    case 'prune-sparsegpt':
      return true;
    case 'quantize-kquant':
      return one.importance;
    case 'quantize-mixed':
      return one.sensitivity !== 'weight-error' || one.method === 'gptq';
    case 'prune-heads':
    case 'prune-neurons':
      return one.criterion === 'activation';
    case 'prune-layers':
      return one.layers === undefined;
    case 'low-rank':
      return one.whiten;
    default:
      return false;
  }
}
