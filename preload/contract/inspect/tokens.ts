import * as z from 'zod';
import { progressSchema, tokenSchema } from '../models.ts';
import { float32s } from './arrays.ts';

export const tokenTextRequestSchema = z.object({
  model: z.string().min(1),
  text: z.string().max(1_000_000),
});
export type TokenTextRequest = z.infer<typeof tokenTextRequestSchema>;

/** How a tokenizer cuts a text. */
export const tokenTextSchema = z.object({
  model: z.string(),
  tokens: z.array(
    tokenSchema.extend({
      /** A piece of a character, or a token that stands for what the vocabulary lacks. */
      fallback: z.enum(['byte', 'unknown']).nullable(),
    }),
  ),
  bytes: z.number().int(),
  words: z.number().int(),
  /** Null for a text without words. */
  tokensPerWord: z.number().nullable(),
  tokensPerByte: z.number().nullable(),
  vocabularySize: z.number().int(),
  /** Different tokens in this text. */
  used: z.number().int(),
  /** Tokens that occur once in it, and tokens of the vocabulary that do not occur at all. */
  once: z.number().int(),
  unused: z.number().int(),
});
export type TokenText = z.infer<typeof tokenTextSchema>;

export const lossesRequestSchema = z.object({
  /** Models of one vocabulary: a base and its variants. */
  models: z.array(z.string().min(1)).min(1).max(8),
  text: z.string().min(1).max(1_000_000),
});
export type LossesRequest = z.infer<typeof lossesRequestSchema>;

export const lossesSchema = z.object({
  /** All but the first are scored. */
  tokens: z.array(tokenSchema),
  /** Of each token: 0 (rarest) … 9 (most frequent) by rank of frequency within the text. */
  deciles: z.array(z.number().int().min(0).max(9)),
  models: z.array(
    z.object({
      model: z.string(),
      /** −ln p of each scored token, in nats. */
      nats: float32s,
      /** KL(first model ‖ this one) at each of them; null for the first. */
      kl: float32s.nullable(),
      /** Mean nats of each decile; null where it has no tokens. */
      byDecile: z.array(z.number().nullable()).length(10),
    }),
  ),
});
export type Losses = z.infer<typeof lossesSchema>;

export const lossesEventSchema = z.discriminatedUnion('kind', [
  progressSchema,
  z.object({ kind: z.literal('done'), losses: lossesSchema }),
]);
export type LossesEvent = z.infer<typeof lossesEventSchema>;

export const neighboursRequestSchema = z.object({
  model: z.string().min(1),
  /** A token id, or text whose first token is taken. */
  token: z.union([z.number().int().nonnegative(), z.string().min(1)]),
  count: z.number().int().min(1).max(100).default(20),
});
export type NeighboursRequest = z.infer<typeof neighboursRequestSchema>;

/** Tokens whose embeddings point the same way, the nearest first; the token itself is left out. */
export const neighboursSchema = z.object({
  token: tokenSchema,
  neighbours: z.array(tokenSchema.extend({ cosine: z.number() })),
});
export type Neighbours = z.infer<typeof neighboursSchema>;
