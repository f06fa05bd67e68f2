import * as z from 'zod';

/** `plain` shows every intermediate value, `fused` is fast; both give the same logits (1e-4). */
export const graphFormSchema = z.enum(['fused', 'plain']);
export type GraphForm = z.infer<typeof graphFormSchema>;

/** One model or variant of the library. */
export const modelRecordSchema = z.object({
  /** Unique in the library; `name/variant` for a variant. */
  name: z.string(),
  /** The model this one was made from, or null. */
  parent: z.string().nullable(),
  /** Family as config.json names it: `llama`. */
  architecture: z.string(),
  /** Number of weights, tied ones once. */
  parameters: z.number().int().nonnegative(),
  /** Bytes of all weight files. */
  bytes: z.number().int().nonnegative(),
  /** Storage type of most weights: `float32`, `float16`, `bfloat16`, … */
  precision: z.string(),
  /** Longest context in tokens. */
  contextLength: z.number().int().positive(),
  vocabularySize: z.number().int().positive(),
  hasChatTemplate: z.boolean(),
  /** `embedded` ships with Lathe, `library` was imported, `folder` was opened in place. */
  source: z.enum(['embedded', 'library', 'folder']),
  folder: z.string(),
  licence: z.string().nullable(),
  /** sha256 over the weight files, in hex. */
  sha256: z.string(),
  /** Milliseconds since 1970. */
  addedAt: z.number(),
});
export type ModelRecord = z.infer<typeof modelRecordSchema>;

export const tensorFactsSchema = z.object({
  name: z.string(),
  dataType: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  bytes: z.number().int().nonnegative(),
  file: z.string(),
});
export type TensorFacts = z.infer<typeof tensorFactsSchema>;

export const graphFactsSchema = z.object({
  form: graphFormSchema,
  opsets: z.record(z.string(), z.number().int()),
  nodes: z.number().int(),
  /** Operator type → how many nodes. */
  operators: z.record(z.string(), z.number().int()),
  inputs: z.array(
    z.object({
      name: z.string(),
      dataType: z.string(),
      shape: z.array(z.union([z.number(), z.string()])),
    }),
  ),
  outputs: z.array(
    z.object({
      name: z.string(),
      dataType: z.string(),
      shape: z.array(z.union([z.number(), z.string()])),
    }),
  ),
  /** Names a capture can ask for: `blocks.3.attn.q`. */
  hookPoints: z.array(z.string()),
});
export type GraphFacts = z.infer<typeof graphFactsSchema>;

/** Bytes that running the model takes, before it is loaded. */
export const memoryEstimateSchema = z.object({
  context: z.number().int().positive(),
  weights: z.number(),
  cache: z.number(),
  activations: z.number(),
  total: z.number(),
  /** What this machine may give. */
  available: z.number(),
});
export type MemoryEstimate = z.infer<typeof memoryEstimateSchema>;

export const modelFactsSchema = z.object({
  record: modelRecordSchema,
  /** config.json as it stands. */
  config: z.record(z.string(), z.unknown()),
  files: z.array(z.object({ name: z.string(), bytes: z.number(), sha256: z.string() })),
  card: z.string().nullable(),
  chatTemplate: z.string().nullable(),
  memory: memoryEstimateSchema,
});
export type ModelFacts = z.infer<typeof modelFactsSchema>;

export const tokenSchema = z.object({
  id: z.number().int().nonnegative(),
  /** The text this token adds; empty while a character is incomplete. */
  text: z.string(),
  /** The token's own bytes (as numbers 0–255). */
  bytes: z.array(z.number().int().min(0).max(255)),
});
export type Token = z.infer<typeof tokenSchema>;

/** Progress of long work, whatever it is. `fraction` is absent when it cannot be known. */
export const progressSchema = z.object({
  kind: z.literal('progress'),
  stage: z.string(),
  fraction: z.number().min(0).max(1).optional(),
  /** Milliseconds still to go, as estimated. */
  remainingMs: z.number().nonnegative().optional(),
});
export type Progress = z.infer<typeof progressSchema>;

export const importEventSchema = z.discriminatedUnion('kind', [
  progressSchema,
  z.object({ kind: z.literal('done'), model: modelRecordSchema }),
]);
export type ImportEvent = z.infer<typeof importEventSchema>;
