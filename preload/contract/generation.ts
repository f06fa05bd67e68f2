import * as z from 'zod';
import { graphFormSchema, progressSchema } from './models.ts';

export const chatMessageSchema = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
});
export type ChatMessage = z.infer<typeof chatMessageSchema>;

export const promptSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('completion'), text: z.string() }),
  z.object({ kind: z.literal('chat'), messages: z.array(chatMessageSchema).min(1) }),
]);
export type Prompt = z.infer<typeof promptSchema>;

/** How the next token is chosen. Defaults change nothing: the plain softmax at temperature 1. */
export const samplingSchema = z.object({
  /** 0 takes the most probable token. */
  temperature: z.number().min(0).max(10).default(1),
  /** Keep the k most probable tokens; 0 keeps all. */
  topK: z.number().int().min(0).default(0),
  /** Keep the smallest set of tokens whose probabilities sum to p; 1 keeps all. */
  topP: z.number().gt(0).max(1).default(1),
  /** Keep tokens at least this fraction as probable as the best; 0 keeps all. */
  minP: z.number().min(0).max(1).default(0),
  /** Keep the tokens nearest the expected information content until they sum to p; 1 keeps all. */
  typicalP: z.number().gt(0).max(1).default(1),
  /** Divides (or multiplies, if negative) the logits of tokens seen before; 1 is off. */
  repetitionPenalty: z.number().gt(0).max(10).default(1),
  /** Subtracted once from the logit of each token already generated. */
  presencePenalty: z.number().min(-10).max(10).default(0),
  /** Subtracted from the logit as often as the token was generated. */
  frequencyPenalty: z.number().min(-10).max(10).default(0),
  /** Forbids tokens that would complete an n-gram seen before; 0 is off. */
  noRepeatNgram: z.number().int().min(0).max(64).default(0),
  /** Token id → added to its logit. */
  logitBias: z.record(z.string().regex(/^\d+$/), z.number().min(-100).max(100)).default({}),
  /** Same seed, same text; null draws a seed (the start event says which). */
  seed: z.number().int().min(0).max(0xffffffff).nullable().default(null),
});
export type Sampling = z.infer<typeof samplingSchema>;

export const generateRequestSchema = z.object({
  /** A library name, `name/variant`, or an absolute folder. */
  model: z.string().min(1),
  prompt: promptSchema,
  /** Token ids already generated after the prompt: generation goes on behind them ("branch from here"). */
  prefix: z.array(z.number().int().nonnegative()).default([]),
  /** Text of `prefix`, for whoever shows the run again; the engine does not read it. */
  prefixText: z.string().optional(),
  sampling: samplingSchema.prefault({}),
  maxTokens: z.number().int().min(1).max(1_000_000).default(256),
  /** The text ends before the first of these. */
  stop: z.array(z.string().min(1).max(256)).max(16).default([]),
  /** What happens at the end of the context: stop, or drop the oldest half and go on. */
  overflow: z.enum(['stop', 'slide']).default('stop'),
  /** How many alternatives to report per token. */
  alternatives: z.number().int().min(0).max(20).default(0),
  form: graphFormSchema.default('fused'),
  /** Keep the run in the history. */
  record: z.boolean().default(false),
});
/** As a caller writes it: everything with a default may be left out. */
export type GenerateInput = z.input<typeof generateRequestSchema>;
export type GenerateRequest = z.infer<typeof generateRequestSchema>;

export const alternativeSchema = z.object({
  id: z.number().int().nonnegative(),
  text: z.string(),
  /** Natural logarithm of the probability the model gave (before sampling rules). */
  logprob: z.number(),
});
export type Alternative = z.infer<typeof alternativeSchema>;

export const generatedTokenSchema = z.object({
  kind: z.literal('token'),
  id: z.number().int().nonnegative(),
  /** Text that became certain with this token; empty while a character is incomplete. */
  text: z.string(),
  logprob: z.number(),
  alternatives: z.array(alternativeSchema),
  /** Milliseconds since the token before it (the first: since the start of prefill). */
  ms: z.number(),
});
export type GeneratedToken = z.infer<typeof generatedTokenSchema>;

export const timingSchema = z.object({
  /** Milliseconds to load the model; 0 when it was loaded already. */
  loadMs: z.number(),
  /** Time to first token, from the request with the model loaded. */
  ttftMs: z.number(),
  /** Mean over the tokens after the first; absent with fewer than two. */
  msPerToken: z.number().optional(),
  tokensPerSecond: z.number().optional(),
});
export type Timing = z.infer<typeof timingSchema>;

export const finishReasonSchema = z.enum([
  'end-of-text',
  'stop-string',
  'max-tokens',
  'context-full',
  'cancelled',
]);
export type FinishReason = z.infer<typeof finishReasonSchema>;

export const generateEventSchema = z.discriminatedUnion('kind', [
  /** Loading the model, or prefill, as it goes on. */
  progressSchema,
  /** The prompt is tokenized and the model loaded. */
  z.object({
    kind: z.literal('start'),
    /** History entry, when asked to record. */
    runId: z.string().nullable(),
    promptTokens: z.number().int(),
    contextLength: z.number().int(),
    seed: z.number().int(),
    loadMs: z.number(),
  }),
  generatedTokenSchema,
  z.object({
    kind: z.literal('finish'),
    reason: finishReasonSchema,
    /** The whole text generated (after `prefix`), stop string removed. */
    text: z.string(),
    timing: timingSchema,
    promptTokens: z.number().int(),
    newTokens: z.number().int(),
  }),
]);
export type GenerateEvent = z.infer<typeof generateEventSchema>;

/** A finished or interrupted run as the history keeps it. */
export const runSchema = z.object({
  id: z.string(),
  startedAt: z.number(),
  request: generateRequestSchema,
  /** Seed really used. */
  seed: z.number().int(),
  promptTokens: z.number().int(),
  contextLength: z.number().int(),
  tokens: z.array(generatedTokenSchema),
  text: z.string(),
  /** null while it runs, or when its process ended before it did. */
  finish: finishReasonSchema.nullable(),
  /** Why it broke off, when it did. */
  error: z.string().nullable(),
  timing: timingSchema.nullable(),
});
export type Run = z.infer<typeof runSchema>;

export const runSummarySchema = runSchema
  .pick({ id: true, startedAt: true, text: true, finish: true, error: true })
  .extend({ model: z.string(), promptText: z.string(), newTokens: z.number().int() });
export type RunSummary = z.infer<typeof runSummarySchema>;

export const presetSchema = z.object({
  name: z.string().min(1).max(80),
  sampling: samplingSchema,
  maxTokens: z.number().int().min(1),
  stop: z.array(z.string()),
  /** Shipped with Lathe; cannot be changed. */
  builtIn: z.boolean(),
});
export type Preset = z.infer<typeof presetSchema>;
