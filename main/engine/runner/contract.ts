import { eventIterator, oc, type ContractRouterClient } from '@orpc/contract';
import * as z from 'zod';
import {
  benchRequestSchema,
  benchResultSchema,
  memoryPhaseSchema,
} from '../../../preload/contract/bench.ts';
import { errorMap } from '../../../preload/contract/errors.ts';
import {
  evaluateRequestSchema as evaluateInputSchema,
  measurementSchema,
  metricSchema,
} from '../../../preload/contract/evaluation.ts';
import { exportFormatSchema } from '../../../preload/contract/export.ts';
import {
  generateEventSchema,
  generateRequestSchema,
  promptSchema,
} from '../../../preload/contract/generation.ts';
import {
  graphFactsSchema,
  progressSchema,
  tensorFactsSchema,
  tokenSchema,
} from '../../../preload/contract/models.ts';
import {
  compressEstimateSchema,
  jobLayerSchema,
  jobProgressSchema,
  linearFactsSchema,
} from '../../../preload/contract/jobs.ts';
import { passReportSchema, recipeSchema } from '../../../preload/contract/recipe.ts';
import { deviceSchema } from '../../../preload/contract/system.ts';
import { networkSizesSchema } from '../../library/manifest.ts';
import { compareContract } from './inspect/compareContract.ts';
import { insideContract } from './inspect/contract.ts';
import { loadRequestSchema, memorySchema, modelSourceSchema } from './source.ts';

/** What the files of a model folder say, once all of them have been checked. */
export const inspectionSchema = z.object({
  architecture: z.string(),
  parameters: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
  precision: z.string(),
  contextLength: z.number().int().positive(),
  vocabularySize: z.number().int().positive(),
  licence: z.string().nullable(),
  sizes: networkSizesSchema,
  config: z.record(z.string(), z.unknown()),
  card: z.string().nullable(),
  chatTemplate: z.string().nullable(),
});
export type Inspection = z.infer<typeof inspectionSchema>;

const loadedSchema = z.object({
  kind: z.literal('loaded'),
  /** Building the graph included, when it was not cached; 0 when it was loaded already. */
  loadMs: z.number(),
  fastCache: z.boolean(),
});
export type Loaded = z.infer<typeof loadedSchema>;

export const benchAskedSchema = z.object({
  load: loadRequestSchema,
  request: benchRequestSchema,
  /** An empty folder for the file of the profiler. */
  scratch: z.string(),
});
export type BenchAsked = z.infer<typeof benchAskedSchema>;

/** What a runner measures itself; its memory is watched from outside. */
const benchMeasuredSchema = benchResultSchema
  .omit({ peakRssBytes: true, memory: true, cacheBytes: true, fileBytes: true })
  .extend({
    /** Milliseconds between tokens, in the order they came: at most 100,000. */
    decodeMs: z.array(z.number()),
  });
export type BenchMeasured = z.infer<typeof benchMeasuredSchema>;

/** What a measurement of speed tells while it runs; `progress` also says only that it still lives. */
export const benchToldSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), fraction: z.number(), detail: z.string() }),
  /** From here on memory counts for this phase. */
  z.object({ kind: z.literal('phase'), phase: memoryPhaseSchema }),
  /** The graph was built now and nothing was measured: another process is to do that. */
  z.object({ kind: z.literal('built') }),
  z.object({ kind: z.literal('done'), result: benchMeasuredSchema }),
]);
export type BenchTold = z.infer<typeof benchToldSchema>;

export const evaluateRequestSchema = z.object({
  /** The model to compare with, loaded beside the other. */
  base: loadRequestSchema.nullable(),
  /** Path of the data, and the sha256 that it must have. */
  file: z.string(),
  dataSha256: z.string(),
  request: evaluateInputSchema,
  /** The job's own folder: what was read of items is kept here, under the key of what is measured. */
  work: z.string(),
  key: z.string(),
});
export type EvaluateRequest = z.infer<typeof evaluateRequestSchema>;

/** What a measurement tells while it runs; `progress` also says only that it still lives. */
export const evaluateToldSchema = z.discriminatedUnion('kind', [
  /** The first: how many items were read before it was interrupted. */
  z.object({ kind: z.literal('started'), items: z.number().int() }),
  jobProgressSchema.extend({ kind: z.literal('progress') }),
  z.object({
    kind: z.literal('done'),
    results: z.array(measurementSchema.extend({ metric: metricSchema })),
  }),
]);
export type EvaluateTold = z.infer<typeof evaluateToldSchema>;
export type Evaluated = Extract<EvaluateTold, { kind: 'done' }>['results'];

export const estimateRequestSchema = z.object({
  folder: z.string(),
  recipe: recipeSchema,
  /** The folder of what ships with Lathe. */
  resources: z.string(),
});
export type EstimateRequest = z.infer<typeof estimateRequestSchema>;

export const compressRequestSchema = estimateRequestSchema.extend({
  /** The job's own folder: what passes gave is kept here, and a job that broke off goes on from it. */
  work: z.string(),
  threads: z.number().int().positive(),
  device: deviceSchema,
});
export type CompressRequest = z.infer<typeof compressRequestSchema>;

/** What a job tells while it runs; `progress` also says only that it still lives. */
export const compressToldSchema = z.discriminatedUnion('kind', [
  /** The first: reports of passes that were done before it was interrupted. */
  z.object({ kind: z.literal('started'), passes: z.array(passReportSchema) }),
  jobProgressSchema.extend({ kind: z.literal('progress') }),
  jobLayerSchema.extend({ kind: z.literal('layer') }),
  /** The result of the step is kept. */
  z.object({ kind: z.literal('pass'), step: z.number().int(), report: passReportSchema }),
  /** The last: the folder with graph and config.json of the result, within `work`. */
  z.object({ kind: z.literal('done'), folder: z.string() }),
]);
export type CompressTold = z.infer<typeof compressToldSchema>;

export const exportFilesRequestSchema = z.object({
  folder: z.string(),
  format: exportFormatSchema.exclude(['lathe']),
  /** An empty folder to write into. */
  target: z.string(),
  /** Passes of the recipe that made the model, in their order. */
  passes: z.array(z.string()),
});
export type ExportFilesRequest = z.infer<typeof exportFilesRequestSchema>;

const call = oc.errors(errorMap);
const folder = z.object({ folder: z.string() });
const events = <T extends z.ZodType>(done: T) => eventIterator(z.union([progressSchema, done]));

/**
 * What the engine may ask of a runner: everything that reads a model's files or runs it. Jobs that
 * stream run one at a time; the others are answered between two tokens.
 */
export const runnerContract = {
  inspect: call.input(folder).output(inspectionSchema),
  tensors: call.input(folder).output(z.array(tensorFactsSchema)),
  graph: call.input(modelSourceSchema).output(graphFactsSchema),
  tokenize: call.input(folder.extend({ prompt: promptSchema })).output(z.array(tokenSchema)),
  load: call
    // Without `memory` nothing is let go: the runner holds nothing yet.
    .input(loadRequestSchema.extend({ memory: memorySchema.optional() }))
    .output(events(loadedSchema)),
  /** Of the model loaded last. */
  generate: call.input(generateRequestSchema).output(eventIterator(generateEventSchema)),
  /** In a process that has loaded nothing yet. */
  bench: call.input(benchAskedSchema).output(eventIterator(benchToldSchema)),
  /** Of the model loaded last. */
  evaluate: call.input(evaluateRequestSchema).output(eventIterator(evaluateToldSchema)),
  linears: call.input(folder).output(z.array(linearFactsSchema)),
  estimate: call.input(estimateRequestSchema).output(compressEstimateSchema),
  compress: call.input(compressRequestSchema).output(eventIterator(compressToldSchema)),
  /** Writes those files of an export that are not copies. */
  export: call
    .input(exportFilesRequestSchema)
    .output(events(z.object({ kind: z.literal('done') }))),
  /** Looking inside models; see docs/inspecting.md. */
  inside: insideContract,
  /** Two models, texts and single matrices; see docs/inspecting.md. */
  compare: compareContract,
  /** Ends the job that streams now, after its current step; answers when it has ended. */
  cancel: call.output(z.void()),
};

export type RunnerClient = ContractRouterClient<typeof runnerContract>;
