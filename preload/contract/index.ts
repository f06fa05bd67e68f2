import { eventIterator, oc, type ContractRouterClient } from '@orpc/contract';
import * as z from 'zod';
import { benchRecordSchema, benchRequestSchema } from './bench.ts';
import { errorMap } from './errors.ts';
import {
  evaluateRequestSchema,
  evaluationFilterSchema,
  evaluationRecordSchema,
} from './evaluation.ts';
import { exportEventSchema, exportRequestSchema } from './export.ts';
import {
  generateEventSchema,
  generateRequestSchema,
  presetSchema,
  promptSchema,
  runSchema,
  runSummarySchema,
} from './generation.ts';
import { float64s } from './inspect/arrays.ts';
import { inspectContract } from './inspect/index.ts';
import {
  compressEstimateSchema,
  compressRequestSchema,
  jobEventSchema,
  jobSchema,
  jobSummarySchema,
  linearFactsSchema,
  recipeRecordSchema,
  sweepRequestSchema,
  variantReportSchema,
} from './jobs.ts';
import {
  graphFactsSchema,
  graphFormSchema,
  importEventSchema,
  memoryEstimateSchema,
  modelFactsSchema,
  modelRecordSchema,
  tensorFactsSchema,
  tokenSchema,
} from './models.ts';
import { recipeSchema } from './recipe.ts';
import {
  engineEventSchema,
  folderListingSchema,
  runnerStateSchema,
  settingsChangesSchema,
  settingsSchema,
  systemInfoSchema,
} from './system.ts';

export * from './bench.ts';
export * from './circumstances.ts';
export * from './errors.ts';
export * from './evaluation.ts';
export * from './export.ts';
export * from './generation.ts';
export * from './inspect/index.ts';
export * from './jobs.ts';
export * from './models.ts';
export * from './recipe.ts';
export * from './system.ts';

const call = oc.errors(errorMap);
const model = z.object({ model: z.string().min(1) });
const job = z.object({ id: z.string().min(1) });
const record = z.object({ id: z.number().int() });
/** Of jobs that were queued. */
const ids = z.object({ ids: z.array(z.string()) });

/** Everything the window, the browser page and the command line may ask of the engine. */
export const contract = {
  system: {
    info: call.output(systemInfoSchema),
    settings: call.output(settingsSchema),
    saveSettings: call.input(settingsChangesSchema).output(settingsSchema),
    events: call.output(eventIterator(engineEventSchema)),
    folders: call.input(z.object({ path: z.string().optional() })).output(folderListingSchema),
  },
  models: {
    list: call.output(z.array(modelRecordSchema)),
    import: call
      .input(z.object({ path: z.string().min(1), name: z.string().min(1).max(120).optional() }))
      .output(eventIterator(importEventSchema)),
    /** Writes a folder that runs elsewhere; it appears when it is complete. */
    export: call.input(exportRequestSchema).output(eventIterator(exportEventSchema)),
    facts: call
      .input(model.extend({ context: z.number().int().positive().optional() }))
      .output(modelFactsSchema),
    tensors: call.input(model).output(z.array(tensorFactsSchema)),
    graph: call
      .input(model.extend({ form: graphFormSchema.default('fused') }))
      .output(graphFactsSchema),
    memory: call
      .input(model.extend({ context: z.number().int().positive().optional() }))
      .output(memoryEstimateSchema),
    /** Moves a model of the library to the trash. */
    remove: call.input(model).output(z.object({ trashId: z.string() })),
    restore: call.input(z.object({ trashId: z.string() })).output(modelRecordSchema),
    /** How a variant was made; `not_found` for a model that is none. */
    report: call.input(model).output(variantReportSchema),
    /** The linear layers of a model in the order they run, the output matrix last. */
    linears: call.input(model).output(z.array(linearFactsSchema)),
  },
  runners: {
    list: call.output(z.array(runnerStateSchema)),
    unload: call.input(model).output(z.void()),
  },
  tokenize: call.input(model.extend({ prompt: promptSchema })).output(z.array(tokenSchema)),
  generate: call.input(generateRequestSchema).output(eventIterator(generateEventSchema)),
  runs: {
    list: call
      .input(
        z
          .object({
            limit: z.number().int().min(1).max(1000).default(100),
            search: z.string().optional(),
          })
          .prefault({}),
      )
      .output(z.array(runSummarySchema)),
    get: call.input(z.object({ id: z.string() })).output(runSchema),
    remove: call.input(z.object({ id: z.string() })).output(z.void()),
  },
  presets: {
    list: call.output(z.array(presetSchema)),
    save: call.input(presetSchema.omit({ builtIn: true })).output(presetSchema),
    remove: call.input(z.object({ name: z.string() })).output(z.void()),
  },
  compress: {
    /** Queues one job per recipe; what is wrong with model or name is said at once. */
    start: call.input(compressRequestSchema).output(ids),
    /** Checks a recipe against a model, and predicts what it makes of it, without running it. */
    estimate: call.input(model.extend({ recipe: recipeSchema })).output(compressEstimateSchema),
  },
  jobs: {
    /** The newest first. */
    list: call.output(z.array(jobSummarySchema)),
    get: call.input(job).output(jobSchema),
    watch: call.input(job).output(eventIterator(jobEventSchema)),
    /** Answers when nothing of the job runs any more and its files are gone, within a second. */
    cancel: call.input(job).output(jobSchema),
    /** Queues an interrupted job again. */
    resume: call.input(job).output(jobSchema),
    /** Forgets a job, cancelled first where it still runs; its variant stays. */
    remove: call.input(job).output(z.void()),
  },
  recipes: {
    /** Shipped ones first, then the user's by name. */
    list: call.output(z.array(recipeRecordSchema)),
    /** Replaces the user's recipe of this name. */
    save: call.input(recipeSchema).output(recipeRecordSchema),
    remove: call.input(z.object({ name: z.string() })).output(z.void()),
  },
  /** Measurements of quality, each made by a job. */
  evaluations: {
    /** Queues one job per request; what is wrong with models, metrics or data is said at once. */
    start: call.input(z.object({ requests: z.array(evaluateRequestSchema).min(1) })).output(ids),
    /** The newest first. */
    list: call.input(evaluationFilterSchema).output(z.array(evaluationRecordSchema)),
    remove: call.input(record).output(z.void()),
  },
  /** Measurements of speed and memory, each made by a job. */
  benches: {
    start: call.input(z.object({ requests: z.array(benchRequestSchema).min(1) })).output(ids),
    /** The newest first. */
    list: call
      .input(z.object({ model: z.string().optional() }).prefault({}))
      .output(z.array(benchRecordSchema)),
    /** Milliseconds between tokens, in the order they came: at most 100,000. */
    samples: call.input(record).output(float64s),
    remove: call.input(record).output(z.void()),
  },
  /** Queues everything that a sweep takes; the jobs stand in the order they run. */
  sweep: call.input(sweepRequestSchema).output(ids),
  inspect: inspectContract,
};

export type EngineClient = ContractRouterClient<typeof contract>;
