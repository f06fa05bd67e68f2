import * as z from 'zod';
import { graphFormSchema } from '../../../preload/contract/models.ts';
import { deviceSchema } from '../../../preload/contract/system.ts';

/** A model folder and where graphs built from it are kept. */
export const modelSourceSchema = z.object({
  folder: z.string(),
  /** sha256 over the weight files, which the caller has verified. */
  weights: z.string(),
  form: graphFormSchema,
  /** The folder of cached graphs. */
  graphs: z.string(),
});
export type ModelSource = z.infer<typeof modelSourceSchema>;

export const loadRequestSchema = modelSourceSchema.extend({
  /** sha256 over all files that decide what the model says: another one is another model. */
  fingerprint: z.string(),
  threads: z.number().int().positive(),
  device: deviceSchema,
});
export type LoadRequest = z.infer<typeof loadRequestSchema>;

/** Memory that work in a runner counts on, in bytes. */
export const memorySchema = z.object({
  /** What the models it loads take, as estimated. */
  needs: z.number().nonnegative(),
  /** Resident set of the runner at most. */
  memoryLimit: z.number().positive(),
});
export type Memory = z.infer<typeof memorySchema>;
