import * as z from 'zod';
import { benchRecordSchema, benchRequestSchema } from './bench.ts';
import { errorDataSchema, errorMessages, type ErrorCode } from './errors.ts';
import { evaluateRequestSchema, evaluationRecordSchema } from './evaluation.ts';
import { modelRecordSchema } from './models.ts';
import {
  layerReportSchema,
  passReportSchema,
  recipeEstimateSchema,
  recipeSchema,
} from './recipe.ts';

/**
 * `interrupted`: its process ended before it did; it can be resumed behind the last finished pass.
 * Only `queued` and `running` jobs change by themselves.
 */
export const jobStateSchema = z.enum([
  'queued',
  'running',
  'finished',
  'failed',
  'cancelled',
  'interrupted',
]);
export type JobState = z.infer<typeof jobStateSchema>;

/** How far a job is. */
export const jobProgressSchema = z.object({
  /** Of the whole job, 0 … 1. */
  fraction: z.number().min(0).max(1),
  /** Index of the pass at work; null before the first and behind the last, and where there are none. */
  step: z.number().int().nonnegative().nullable(),
  /** What it works on: `blocks.3.mlp.down`. */
  detail: z.string(),
  /** Milliseconds still to go, as the speed so far suggests. */
  remainingMs: z.number().nonnegative().optional(),
});
export type JobProgress = z.infer<typeof jobProgressSchema>;

const errorCodes = Object.keys(errorMessages);
const errorCodeSchema = z.custom<ErrorCode>(
  (value) => typeof value === 'string' && errorCodes.includes(value),
);

/** Why a job failed or was interrupted. */
export const jobErrorSchema = z.object({
  code: errorCodeSchema,
  message: z.string(),
  data: errorDataSchema,
});

/** One line of what a job did, and when (milliseconds since 1970). */
export const jobLogEntrySchema = z.object({ at: z.number(), text: z.string() });
export type JobLogEntry = z.infer<typeof jobLogEntrySchema>;

/** What a pass did to a layer, and which pass of the recipe it was. */
export const jobLayerSchema = z.object({
  step: z.number().int().nonnegative(),
  report: layerReportSchema,
});
export type JobLayer = z.infer<typeof jobLayerSchema>;

/** What every job has, whatever it does. */
const anyJob = z.object({
  id: z.string(),
  /** Name of the model it works on. */
  model: z.string(),
  state: jobStateSchema,
  /** null until it first ran. */
  progress: jobProgressSchema.nullable(),
  createdAt: z.number(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  error: jobErrorSchema.nullable(),
  /** What the jobs of one sweep have in common; absent for a job that stands alone. */
  sweep: z.string().optional(),
});

/** Makes a variant of a model by a recipe. */
const compressSummarySchema = anyJob.extend({
  kind: z.literal('compress'),
  recipe: recipeSchema,
  /** Name the variant will have, the model's included: `tiny-stories/int4-rtn`. */
  name: z.string(),
  /** The variant, once it is finished. */
  result: modelRecordSchema.nullable(),
});

/** Measures the quality of a model. */
const evaluateSummarySchema = anyJob.extend({
  kind: z.literal('evaluate'),
  request: evaluateRequestSchema,
  /** One per metric asked for, once it is finished. */
  result: z.array(evaluationRecordSchema).nullable(),
});

/** Measures speed and memory of a model. */
const benchSummarySchema = anyJob.extend({
  kind: z.literal('bench'),
  request: benchRequestSchema,
  /** What was measured, once it is finished. */
  result: benchRecordSchema.nullable(),
});

/** A job without what grows with it: for lists. */
export const jobSummarySchema = z.discriminatedUnion('kind', [
  compressSummarySchema,
  evaluateSummarySchema,
  benchSummarySchema,
]);
export type JobSummary = z.infer<typeof jobSummarySchema>;
export type CompressSummary = z.infer<typeof compressSummarySchema>;

const log = z.array(jobLogEntrySchema);

export const compressJobSchema = compressSummarySchema.extend({
  /** Reports of the passes that are done. */
  passes: z.array(passReportSchema),
  /** Layers as they were done, those of the pass at work included. */
  layers: z.array(jobLayerSchema),
  log,
});
export type CompressJob = z.infer<typeof compressJobSchema>;

export const evaluateJobSchema = evaluateSummarySchema.extend({ log });
export type EvaluateJob = z.infer<typeof evaluateJobSchema>;

export const benchJobSchema = benchSummarySchema.extend({ log });
export type BenchJob = z.infer<typeof benchJobSchema>;

/** All there is to know about a job. */
export const jobSchema = z.discriminatedUnion('kind', [
  compressJobSchema,
  evaluateJobSchema,
  benchJobSchema,
]);
export type Job = z.infer<typeof jobSchema>;

/**
 * What a watched job tells: `job` at first and whenever its state changes; the others between,
 * `layer` and `pass` only of jobs that compress. The stream ends behind a `job` that is neither
 * queued nor running.
 */
export const jobEventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('job'), job: jobSchema }),
  z.object({ kind: z.literal('progress'), progress: jobProgressSchema }),
  jobLayerSchema.extend({ kind: z.literal('layer') }),
  z.object({
    kind: z.literal('pass'),
    step: z.number().int().nonnegative(),
    report: passReportSchema,
  }),
  z.object({ kind: z.literal('log'), entry: jobLogEntrySchema }),
]);
export type JobEvent = z.infer<typeof jobEventSchema>;

/** Recipes in, jobs out. */
export const compressRequestSchema = z.object({
  /** A library name, `name/variant`, or an absolute folder. */
  model: z.string().min(1),
  /** One job each, in this order. */
  recipes: z.array(recipeSchema).min(1).max(1000),
  /**
   * Names of the variants, without the model's, one per recipe; `already_exists` where one is
   * taken. Left out, they are the recipes' names, with a number where that is taken.
   */
  names: z.array(z.string().min(1).max(120)).optional(),
});
export type CompressRequest = z.infer<typeof compressRequestSchema>;

/**
 * A grid in one go: every recipe makes a variant, which is measured as soon as it is there. The
 * model itself is measured first, so that every variant has something to be compared with.
 */
export const sweepRequestSchema = z.object({
  /** A library name, `name/variant`, or an absolute folder. */
  model: z.string().min(1),
  recipes: z.array(recipeSchema).min(1).max(1000),
  /** What to measure of each; empty measures no quality. */
  evaluations: z.array(evaluateRequestSchema.omit({ model: true, against: true })).default([]),
  /** How to measure the speed of each; null measures none. */
  bench: benchRequestSchema.omit({ model: true }).nullable().default(null),
});
export type SweepInput = z.input<typeof sweepRequestSchema>;
export type SweepRequest = z.infer<typeof sweepRequestSchema>;

/** What a dry run says. */
export const compressEstimateSchema = recipeEstimateSchema.extend({
  /** The text that calibrated passes will see; null where none looks at it. */
  calibration: z
    .object({
      sequences: z.number().int(),
      length: z.number().int(),
      /** sequences · length */
      tokens: z.number().int(),
      /** Tokens of the whole text; pieces overlap where it has less than `tokens`. */
      available: z.number().int(),
    })
    .nullable(),
});
export type CompressEstimate = z.infer<typeof compressEstimateSchema>;

/** A recipe that can be chosen by its name. */
export const recipeRecordSchema = z.object({
  recipe: recipeSchema,
  /** Shipped with Lathe; cannot be changed. */
  builtIn: z.boolean(),
});
export type RecipeRecord = z.infer<typeof recipeRecordSchema>;

/** A linear layer that targets of a recipe can name. */
export const linearFactsSchema = z.object({
  /** `blocks.3.attn.qkv` */
  name: z.string(),
  /** null for the output matrix. */
  block: z.number().int().nonnegative().nullable(),
  /** Output channels. */
  rows: z.number().int().positive(),
  /** Input channels. */
  columns: z.number().int().positive(),
  /** Whether its weight is one float matrix: passes leave out those that are not. */
  isFloat: z.boolean(),
  /** Bits per weight as it is stored, scales and zero points included. */
  bits: z.number(),
  bytes: z.number(),
});
export type LinearFacts = z.infer<typeof linearFactsSchema>;

/** How a variant was made. */
export const variantReportSchema = z.object({
  /** Name of the model it was made from, and that one's sha256 over its weight files. */
  parent: z.string(),
  parentSha256: z.string(),
  recipe: recipeSchema,
  passes: z.array(passReportSchema),
  /** From the first pass to the last, interruptions left out. */
  seconds: z.number(),
  /** Milliseconds since 1970. */
  madeAt: z.number(),
  /** Version of each tool that took part: `lathe`, `node`, `onnxruntime`. */
  versions: z.record(z.string(), z.string()),
});
export type VariantReport = z.infer<typeof variantReportSchema>;
