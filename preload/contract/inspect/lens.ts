import * as z from 'zod';
import { alternativeSchema } from '../generation.ts';
import { float32s, int32s } from './arrays.ts';
import { ofCapture } from './capture.ts';

export const lensRequestSchema = ofCapture.extend({
  /** Most probable tokens per layer and position. */
  top: z.number().int().min(1).max(20).default(5),
});

/** What the model would say if it ended at each layer: row 0 is the embedding, then each block. */
export const lensSchema = z.object({
  rows: z.number().int(),
  positions: z.number().int(),
  top: z.number().int(),
  /** [rows, positions, top], the most probable first. */
  ids: int32s,
  /** Probabilities of them. */
  probabilities: float32s,
  /** [rows, positions]: probability of the token that the whole model finds most probable. */
  final: float32s,
  /** [rows, positions]: length of the residual stream. */
  norms: float32s,
  /** Texts of all ids. */
  texts: z.record(z.string(), z.string()),
});
export type Lens = z.infer<typeof lensSchema>;

export const predictionsRequestSchema = ofCapture.extend({
  top: z.number().int().min(1).max(20).default(5),
  /** Another capture of the same text: how far from it the predictions are. */
  against: z.string().optional(),
});

/** What the model says behind each token. */
export const predictionSchema = z.object({
  /** Natural logarithm of the probability of the token that follows; null behind the last. */
  logprob: z.number().nullable(),
  /** Bits. */
  entropy: z.number(),
  alternatives: z.array(alternativeSchema),
  /** KL(`against` ‖ this capture) in nats, where it was asked for. */
  kl: z.number().optional(),
});
export type Prediction = z.infer<typeof predictionSchema>;

export const directRequestSchema = ofCapture.extend({
  position: z.number().int().nonnegative(),
  /** The token whose logit is taken apart; left out, the most probable one. */
  token: z.number().int().nonnegative().optional(),
});

/**
 * Direct logit attribution: the logit of a token as a sum over what was written into the residual
 * stream, the last norm held at what it was. `embedding + Σ heads + Σ mlp + rest = logit`.
 */
export const directSchema = z.object({
  token: alternativeSchema,
  logit: z.number(),
  embedding: z.number(),
  layers: z.array(z.object({ heads: z.array(z.number()), mlp: z.number() })),
  /** Biases of the output matrices. */
  rest: z.number(),
});
export type Direct = z.infer<typeof directSchema>;
