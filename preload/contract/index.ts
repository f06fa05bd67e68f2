import {
  eventIterator,
  oc,
  type InferContractRouterInputs,
  type ContractRouterClient,
} from '@orpc/contract';
import * as z from 'zod';
import { benchEventSchema, benchRequestSchema } from './bench.ts';
import { errorMap } from './errors.ts';
import {
  generateEventSchema,
  generateRequestSchema,
  presetSchema,
  promptSchema,
  runSchema,
  runSummarySchema,
} from './generation.ts';
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
import {
  engineEventSchema,
  folderListingSchema,
  runnerStateSchema,
  settingsChangesSchema,
  settingsSchema,
  systemInfoSchema,
} from './system.ts';

export * from './bench.ts';
export * from './errors.ts';
export * from './generation.ts';
export * from './models.ts';
export * from './system.ts';

const call = oc.errors(errorMap);
const model = z.object({ model: z.string().min(1) });

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
  bench: call.input(benchRequestSchema).output(eventIterator(benchEventSchema)),
};

export type EngineClient = ContractRouterClient<typeof contract>;
export type EngineInputs = InferContractRouterInputs<typeof contract>;
