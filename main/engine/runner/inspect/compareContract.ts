import { eventIterator, oc } from '@orpc/contract';
import * as z from 'zod';
import { errorMap } from '../../../../preload/contract/errors.ts';
import {
  attributionEventSchema,
  attributionRequestSchema,
  blameEventSchema,
  differenceRequestSchema,
  differenceSchema,
  lossesSchema,
  neighboursRequestSchema,
  neighboursSchema,
  patternPairRequestSchema,
  patternPairSchema,
  tokenTextRequestSchema,
  tokenTextSchema,
  weightsRequestSchema,
  weightsSchema,
} from '../../../../preload/contract/inspect/index.ts';
import { progressSchema } from '../../../../preload/contract/models.ts';
import { loadRequestSchema } from '../source.ts';
import { answered, subjectRequestSchema } from './contract.ts';

const call = oc.errors(errorMap);
const folder = z.string();

/** Two models that one process reads. */
const pairRequestSchema = differenceRequestSchema.pick({ prompt: true, newTokens: true }).extend({
  base: loadRequestSchema,
  variant: loadRequestSchema,
  /** What both take when they are loaded, as estimated, in bytes. */
  needs: z.number().nonnegative(),
  /** Resident set of the runner at most. */
  memoryLimit: z.number().positive(),
});
export type PairRequest = z.infer<typeof pairRequestSchema>;

export const compareRequestSchema = pairRequestSchema.extend({
  /** The name that later questions give it. */
  id: z.string(),
});
export type CompareRequest = z.infer<typeof compareRequestSchema>;

const comparedSchema = z.object({
  kind: z.literal('done'),
  difference: differenceSchema.omit({ base: true, variant: true }),
});
export type Compared = z.infer<typeof comparedSchema>;

export const attributeRequestSchema = attributionRequestSchema
  .omit({ model: true })
  .extend(subjectRequestSchema.shape);
export type AttributeRequest = z.infer<typeof attributeRequestSchema>;

export const lossRequestSchema = z.object({
  /** The model to compare with, loaded beside the other. */
  base: loadRequestSchema.nullable(),
  text: z.string(),
  /** See main/evaluation/windows.ts. */
  window: z.number().int(),
  stride: z.number().int(),
});
export type LossRequest = z.infer<typeof lossRequestSchema>;

const modelLossesSchema = lossesSchema.shape.models.element.omit({ model: true, kl: true });
const lostSchema = z.object({
  kind: z.literal('done'),
  tokens: lossesSchema.shape.tokens,
  deciles: lossesSchema.shape.deciles,
  model: modelLossesSchema,
  base: modelLossesSchema.nullable(),
  kl: lossesSchema.shape.models.element.shape.kl,
});
export type Lost = z.infer<typeof lostSchema>;

const nearRequestSchema = neighboursRequestSchema.omit({ model: true }).extend({ folder });
export type NearRequest = z.infer<typeof nearRequestSchema>;

const layerRequestSchema = weightsRequestSchema.pick({ layer: true }).extend({
  folder,
  against: folder.nullable(),
  threads: z.number().int().positive(),
});
export type LayerRequest = z.infer<typeof layerRequestSchema>;

const layerSchema = weightsSchema.extend({
  difference: weightsSchema.shape.difference.unwrap().omit({ model: true }).nullable(),
});
export type LayerFacts = z.infer<typeof layerSchema>;

const events = <T extends z.ZodType>(done: T) => eventIterator(z.union([progressSchema, done]));

/** What the engine may ask about two models, about texts and about single matrices. */
export const compareContract = {
  difference: call.input(compareRequestSchema).output(events(comparedSchema)),
  patternPair: call.input(patternPairRequestSchema).output(patternPairSchema),
  blame: call.input(pairRequestSchema).output(eventIterator(blameEventSchema)),
  /** Of the model loaded last. */
  attribution: call.input(attributeRequestSchema).output(eventIterator(attributionEventSchema)),
  /** Of the model loaded last. */
  losses: call.input(lossRequestSchema).output(events(lostSchema)),
  tokenText: call
    .input(tokenTextRequestSchema.pick({ text: true }).extend({ folder }))
    .output(tokenTextSchema.omit({ model: true })),
  neighbours: call.input(nearRequestSchema).output(neighboursSchema),
  /** Singular values may take longer than a process may be silent. */
  weights: call.input(layerRequestSchema).output(answered(layerSchema)),
};
