import * as z from 'zod';
import { circumstancesSchema } from './circumstances.ts';
import { graphFormSchema } from './models.ts';

const few = z.number().int().min(1);

export const benchRequestSchema = z.object({
  /** A library name, `name/variant`, or an absolute folder. */
  model: z.string().min(1),
  form: graphFormSchema.default('fused'),
  promptTokens: few.default(128),
  newTokens: z.number().int().min(2).default(64),
  batch: few.max(64).default(1),
  /** Runs that count, after one to warm up. */
  runs: few.max(1000).default(5),
  /** Prompt lengths to measure besides: time to first token and decode against the context. */
  contexts: z.array(few).max(32).default([]),
  /** Batch sizes to measure besides. */
  batches: z.array(few.max(64)).max(16).default([]),
  /** Thread counts to measure besides; each loads the model anew. */
  threadCounts: z.array(few.max(256)).max(16).default([]),
  /** Load the model cold (its files dropped from the page cache where that is allowed) and warm. */
  load: z.boolean().default(false),
  /** Time every operator of one prefill and some decode steps with the profiler of onnxruntime. */
  profile: z.boolean().default(false),
});
export type BenchInput = z.input<typeof benchRequestSchema>;
export type BenchRequest = z.infer<typeof benchRequestSchema>;

const interval = z.tuple([z.number(), z.number()]);

/** Milliseconds; a percentile is absent where there are too few samples for it. */
export const latencySchema = z.object({
  samples: z.number().int(),
  /** Absent in what older versions kept, as are intervals. */
  mean: z.number().optional(),
  p50: z.number(),
  p90: z.number().optional(),
  /** From 1,000 samples on. */
  p99: z.number().optional(),
  /** From 10,000 samples on. */
  p999: z.number().optional(),
  /** [low, high] that hold a percentile 95 times of 100; absent where too few samples lie beside it. */
  ci95: z
    .object({ p50: interval, p90: interval, p99: interval, p999: interval })
    .partial()
    .optional(),
  tokensPerSecond: z.number(),
});
export type Latency = z.infer<typeof latencySchema>;

/** One stop of a sweep: what was varied, and what it gave. */
export const sweepPointSchema = z.object({
  /** Prompt tokens, rows or threads. */
  at: z.number().int(),
  ttft: latencySchema,
  /** Tokens per second are those of all rows together. */
  decode: latencySchema,
});
export type SweepPoint = z.infer<typeof sweepPointSchema>;

/**
 * What a measurement is at: `prefill` is that of the run to warm up, `decode` its steps and all runs
 * that count.
 */
export const memoryPhaseSchema = z.enum(['load', 'prefill', 'decode', 'sweeps', 'profile']);
export type MemoryPhase = z.infer<typeof memoryPhaseSchema>;

/** The resident set of the runner, watched from outside. */
export const memoryTraceSchema = z.object({
  /** In the order they came: when each began (milliseconds since the start), its largest in bytes. */
  phases: z.array(
    z.object({ phase: memoryPhaseSchema, startMs: z.number(), peakBytes: z.number() }),
  ),
  /** Milliseconds since the start, and bytes, in step. */
  ms: z.array(z.number()),
  bytes: z.array(z.number()),
});
export type MemoryTrace = z.infer<typeof memoryTraceSchema>;

/** What one node of the graph took in one prefill and some decode steps, by the profiler of onnxruntime. */
export const operatorTimeSchema = z.object({
  /** The linear layer it is or belongs to, the hook point it gives, or its own name. */
  node: z.string(),
  /** `MatMulNBits` */
  operator: z.string(),
  /** Block of the model it belongs to; null for what stands outside of all. */
  block: z.number().int().nonnegative().nullable(),
  calls: z.number().int(),
  /** Milliseconds of all calls of the prefill together. */
  prefillMs: z.number(),
  /** Milliseconds per decode step. */
  decodeMs: z.number(),
});
export type OperatorTime = z.infer<typeof operatorTimeSchema>;

export const benchResultSchema = z.object({
  prefill: latencySchema,
  decode: latencySchema,
  /** From request to first token, model loaded; tokens per second are those of the prompt. */
  ttft: latencySchema,
  /** Largest resident set of the runner, measured from outside. */
  peakRssBytes: z.number(),
  memory: memoryTraceSchema,
  /** Keys and values of prompt and new tokens, all rows. */
  cacheBytes: z.number(),
  /** Weight files on disk. */
  fileBytes: z.number(),
  /** The first in a fresh process, the graph built before: tokenizer and session. */
  loadMs: z.number(),
  /**
   * What `load` asked for. Cold: the first in a fresh process, its files read from the disk; null
   * where the page cache could not be dropped. Warm: the second in the same process.
   */
  loads: z.object({ coldMs: z.number().nullable(), warmMs: z.number() }).nullable(),
  /** Joules of the processor packages per decoded token of a row (RAPL); null where they cannot be read. */
  joulesPerToken: z.number().nullable(),
  contexts: z.array(sweepPointSchema),
  batches: z.array(sweepPointSchema),
  threadCounts: z.array(sweepPointSchema),
  /** What `profile` asked for; null without it. */
  operators: z.array(operatorTimeSchema).nullable(),
  /** What was measured and how, warm-up and outliers included, in one sentence. */
  protocol: z.string(),
});
export type BenchResult = z.infer<typeof benchResultSchema>;

/** A result as it is kept. */
export const benchRecordSchema = benchResultSchema.extend({
  id: z.number().int(),
  request: benchRequestSchema,
  /** Name of the model when it was measured, and its sha256 over the weight files. */
  model: z.string(),
  modelSha256: z.string(),
  ...circumstancesSchema.shape,
});
export type BenchRecord = z.infer<typeof benchRecordSchema>;

/** What a million tokens cost on a machine of this price per hour that makes nothing else. */
export const costPerMillion = (tokensPerSecond: number, pricePerHour: number): number =>
  (pricePerHour * 1e6) / (tokensPerSecond * 3600);
