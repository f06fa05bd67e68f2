import * as z from 'zod';
import { graphFormSchema, progressSchema } from './models.ts';

export const benchRequestSchema = z.object({
  model: z.string().min(1),
  form: graphFormSchema.default('fused'),
  promptTokens: z.number().int().min(1).default(128),
  newTokens: z.number().int().min(2).default(64),
  batch: z.number().int().min(1).max(64).default(1),
  runs: z.number().int().min(1).max(1000).default(5),
});
export type BenchInput = z.input<typeof benchRequestSchema>;
export type BenchRequest = z.infer<typeof benchRequestSchema>;

/** Milliseconds; a percentile is absent where there are too few samples for it. */
export const latencySchema = z.object({
  samples: z.number().int(),
  p50: z.number(),
  p90: z.number().optional(),
  p99: z.number().optional(),
  p999: z.number().optional(),
  tokensPerSecond: z.number(),
});
export type Latency = z.infer<typeof latencySchema>;

export const benchResultSchema = z.object({
  kind: z.literal('done'),
  request: benchRequestSchema,
  prefill: latencySchema,
  decode: latencySchema,
  /** From request to first token, model loaded. */
  ttftMs: z.number(),
  /** Largest resident set of the runner, measured from outside. */
  peakRssBytes: z.number(),
  loadMs: z.number(),
  threads: z.number().int(),
  device: z.string(),
  /** What was measured and how, in one sentence. */
  protocol: z.string(),
});
export type BenchResult = z.infer<typeof benchResultSchema>;

export const benchEventSchema = z.discriminatedUnion('kind', [progressSchema, benchResultSchema]);
export type BenchEvent = z.infer<typeof benchEventSchema>;
