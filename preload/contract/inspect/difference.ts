import * as z from 'zod';
import { promptSchema } from '../generation.ts';
import { progressSchema, tokenSchema } from '../models.ts';
import { recipeSchema } from '../recipe.ts';
import { float32s } from './arrays.ts';

/** The same text through two models of one vocabulary. */
export const differenceRequestSchema = z.object({
  base: z.string().min(1),
  variant: z.string().min(1),
  prompt: promptSchema,
  /** Tokens that the base writes greedily behind the prompt; both models then read all of it. */
  newTokens: z.number().int().min(0).max(4096).default(32),
});
export type DifferenceInput = z.input<typeof differenceRequestSchema>;
export type DifferenceRequest = z.infer<typeof differenceRequestSchema>;

/** What one of the models says behind a token. */
const opinionSchema = z.object({
  /** Natural logarithm of the probability of the token that follows; null behind the last. */
  logprob: z.number().nullable(),
  top: tokenSchema.pick({ id: true, text: true }),
  topLogprob: z.number(),
});

export const differenceSchema = z.object({
  /** Names the pair in later questions; it is gone (`not_found`) when its runner is. */
  id: z.string(),
  base: z.string(),
  variant: z.string(),
  tokens: z.array(tokenSchema),
  /** Tokens of the prompt; the base wrote those behind. */
  promptTokens: z.number().int(),
  positions: z.array(
    z.object({
      base: opinionSchema,
      variant: opinionSchema,
      /** KL(base ‖ variant) in nats. */
      kl: z.number().nonnegative(),
    }),
  ),
  /**
   * The first token written that the variant would have chosen otherwise: its place in `tokens`, as
   * plain greedy generation shows it; null where it wrote the same.
   */
  firstDivergence: z.number().int().nullable(),
  /** Of the base. */
  layers: z.number().int(),
  /** Query heads per layer; null where the two have not the same heads. */
  heads: z.array(z.number().int()).nullable(),
  /** Mean Jensen–Shannon divergence of the patterns in bits, layer by layer, head by head. */
  headDivergence: float32s.nullable(),
  /**
   * Cosine of the residual streams behind the embedding and each block, mean over positions; empty
   * where the two have not the same layers.
   */
  residualCosine: float32s,
  /** Why there are no heads or streams to compare, where there are none. */
  note: z.string().optional(),
});
export type Difference = z.infer<typeof differenceSchema>;

export const differenceEventSchema = z.discriminatedUnion('kind', [
  progressSchema,
  z.object({ kind: z.literal('done'), difference: differenceSchema }),
]);
export type DifferenceEvent = z.infer<typeof differenceEventSchema>;

export const ofDifference = z.object({ difference: z.string() });

export const patternPairRequestSchema = ofDifference.extend({
  layer: z.number().int().nonnegative(),
  head: z.number().int().nonnegative(),
});

export const patternPairSchema = z.object({
  tokens: z.number().int(),
  base: float32s,
  variant: float32s,
});
export type PatternPair = z.infer<typeof patternPairSchema>;

/** What putting tensors of the base back does at the token in question. */
export const suspectSchema = z.object({
  /** A layer as recipes target it: `blocks.3.mlp.down`. */
  layer: z.string(),
  /** How much nearer to the base: 1 all of the way, 0 none; by KL at the position. */
  effect: z.number(),
  /** Whether it alone brings the base's token back. */
  restores: z.boolean(),
});
export type Suspect = z.infer<typeof suspectSchema>;

export const blameSchema = z.object({
  /** Place in the text whose token flipped (or, where none did, that of the largest KL). */
  position: z.number().int(),
  expected: tokenSchema.pick({ id: true, text: true }),
  given: tokenSchema.pick({ id: true, text: true }),
  /** The worst first. */
  suspects: z.array(suspectSchema),
  /** The fewest of the worst that together bring the token back; empty where nothing does. */
  sufficient: z.array(z.string()),
  /** Runs of a mixed model that it took. */
  runs: z.number().int(),
});
export type Blame = z.infer<typeof blameSchema>;

export const blameEventSchema = z.discriminatedUnion('kind', [
  progressSchema,
  suspectSchema.extend({ kind: z.literal('suspect') }),
  z.object({ kind: z.literal('done'), blame: blameSchema }),
]);
export type BlameEvent = z.infer<typeof blameEventSchema>;

/** The variant's recipe with the layers to blame left as they were, or at 8 bit. */
export const repairRequestSchema = z.object({
  variant: z.string().min(1),
  layers: z.array(z.string()).min(1),
  keep: z.enum(['float', '8-bit']).default('8-bit'),
});
export type RepairRequest = z.infer<typeof repairRequestSchema>;

/** A recipe for the model that the variant was made from. */
export const repairSchema = z.object({ model: z.string(), recipe: recipeSchema });
export type Repair = z.infer<typeof repairSchema>;
