import * as z from 'zod';
import { promptSchema } from '../generation.ts';
import { progressSchema, tokenSchema } from '../models.ts';

export const attributionRequestSchema = z.object({
  model: z.string().min(1),
  prompt: promptSchema,
  level: z.enum(['token', 'word', 'sentence']).default('token'),
  /**
   * `leave-one-out` takes a unit out, `occlusion` puts a space (or what comes nearest to one) in the
   * place of each of its tokens, `attention` reads the rollout instead of running again.
   */
  method: z.enum(['leave-one-out', 'occlusion', 'attention']).default('leave-one-out'),
  /** The token explained, behind the prompt; left out, the most probable one. */
  target: z.number().int().nonnegative().optional(),
});
export type AttributionRequest = z.infer<typeof attributionRequestSchema>;

export const attributionSchema = z.object({
  tokens: z.array(tokenSchema),
  target: tokenSchema,
  /** Natural logarithm of the target's probability behind the whole prompt. */
  logprob: z.number(),
  /** In order; together they cover the prompt but for what the tokenizer adds. */
  units: z.array(
    z.object({
      /** Tokens [start, end). */
      start: z.number().int(),
      end: z.number().int(),
      text: z.string(),
      /** How much the log-probability falls without it; attention methods: its share of attention. */
      effect: z.number(),
    }),
  ),
  runs: z.number().int(),
});
export type Attribution = z.infer<typeof attributionSchema>;

export const attributionEventSchema = z.discriminatedUnion('kind', [
  progressSchema,
  z.object({ kind: z.literal('done'), attribution: attributionSchema }),
]);
export type AttributionEvent = z.infer<typeof attributionEventSchema>;
