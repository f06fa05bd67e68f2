import * as z from 'zod';
import { promptSchema } from '../generation.ts';
import { progressSchema, tokenSchema } from '../models.ts';
import { float32s } from './arrays.ts';

/** A query head of a layer. */
export const headSchema = z.object({
  layer: z.number().int().nonnegative(),
  head: z.number().int().nonnegative(),
});
export type Head = z.infer<typeof headSchema>;

export const captureRequestSchema = z.object({
  /** A library name, `name/variant`, or an absolute folder. */
  model: z.string().min(1),
  prompt: promptSchema,
  /** Heads whose output counts as zero. */
  ablate: z.array(headSchema).default([]),
});
export type CaptureInput = z.input<typeof captureRequestSchema>;
export type CaptureRequest = z.infer<typeof captureRequestSchema>;

/** One run of a model with everything it computed kept in its runner. */
export const captureSchema = z.object({
  /** Names the capture in later questions; it is gone (`not_found`) when its runner is. */
  id: z.string(),
  model: z.string(),
  tokens: z.array(tokenSchema),
  layers: z.number().int(),
  /** Query heads of each layer: pruned layers may have fewer. */
  heads: z.array(z.number().int()),
  keyValueHeads: z.array(z.number().int()),
  /** 0 where the graph does not name its residual stream. */
  hiddenSize: z.number().int(),
  vocabularySize: z.number().int(),
  ablated: z.array(headSchema),
  /** Values that `values` can be asked for: `blocks.3.attn.q`. */
  hookPoints: z.array(z.string()),
  /** What the capture holds in memory. */
  bytes: z.number(),
  /** The run with its taps, and the same run without them. */
  ms: z.object({ captured: z.number(), plain: z.number() }),
});
export type Capture = z.infer<typeof captureSchema>;

export const captureEventSchema = z.discriminatedUnion('kind', [
  progressSchema,
  z.object({ kind: z.literal('done'), capture: captureSchema }),
]);
export type CaptureEvent = z.infer<typeof captureEventSchema>;

/** A question about a capture. */
export const ofCapture = z.object({ capture: z.string() });

export const sheetRequestSchema = ofCapture.extend({
  /** Side of a thumbnail in cells at most; longer texts are pooled (largest of each cell). */
  size: z.number().int().min(8).max(256).default(48),
});

/** Thumbnails of every head's pattern, one after the other: layer by layer, head by head. */
export const sheetSchema = z.object({
  size: z.number().int(),
  /** Σ heads of all layers × size × size. */
  data: float32s,
});
export type Sheet = z.infer<typeof sheetSchema>;

export const patternRequestSchema = ofCapture.extend({
  layer: z.number().int().nonnegative(),
  /** `mean`: the average over the heads of the layer. */
  head: z.union([z.number().int().nonnegative(), z.literal('mean')]),
  /** `scores` are those before the softmax, masked ones −∞. */
  what: z.enum(['pattern', 'scores']).default('pattern'),
});

/** Row: the token that looks; column: the token looked at. */
export const squareSchema = z.object({ tokens: z.number().int(), data: float32s });
export type Square = z.infer<typeof squareSchema>;

/** How a head spreads its attention over this text. All are means over the positions. */
export const headStatisticsSchema = headSchema.extend({
  /** Bits. */
  entropy: z.number(),
  /** Tokens back. */
  distance: z.number(),
  /** Attention to the token before. */
  previous: z.number(),
  /** Attention to the token itself. */
  self: z.number(),
  /** Attention to the first token, of all behind it. */
  sink: z.number(),
  /** Attention to the token behind the previous occurrence of this one; null where none repeats. */
  induction: z.number().nullable(),
  /** Attention to previous occurrences of this token; null where none repeats. */
  duplicate: z.number().nullable(),
  /** How much of the pattern depends on the distance alone, 0 … 1. */
  positional: z.number(),
});
export type HeadStatistics = z.infer<typeof headStatisticsSchema>;

export const valuesRequestSchema = ofCapture.extend({ hook: z.string() });

/** Attention followed through the layers: `rollout` (mean of heads, half residual) or max-`flow`. */
export const throughRequestSchema = ofCapture.extend({
  method: z.enum(['rollout', 'flow']),
});
