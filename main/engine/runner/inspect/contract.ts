import { eventIterator, oc } from '@orpc/contract';
import * as z from 'zod';
import { errorMap } from '../../../../preload/contract/errors.ts';
import { promptSchema } from '../../../../preload/contract/generation.ts';
import {
  captureSchema,
  directRequestSchema,
  directSchema,
  headSchema,
  headStatisticsSchema,
  lensRequestSchema,
  lensSchema,
  ndArraySchema,
  ofCapture,
  patternRequestSchema,
  predictionSchema,
  predictionsRequestSchema,
  sheetRequestSchema,
  sheetSchema,
  squareSchema,
  throughRequestSchema,
  valuesRequestSchema,
} from '../../../../preload/contract/inspect/index.ts';
import { progressSchema } from '../../../../preload/contract/models.ts';
import { loadRequestSchema } from '../source.ts';

const call = oc.errors(errorMap);

/** A model to look into and what it may take. */
export const subjectRequestSchema = z.object({
  /** The model; its form does not matter. */
  source: loadRequestSchema,
  /** Resident set of the runner at most. */
  memoryLimit: z.number().positive(),
});

export const captureRequestSchema = subjectRequestSchema.extend({
  /** The name that later questions give it. */
  id: z.string(),
  prompt: promptSchema,
  ablate: z.array(headSchema),
  /** What the model takes when it is loaded, as estimated, in bytes. */
  needs: z.number().nonnegative(),
});
export type CaptureRequest = z.infer<typeof captureRequestSchema>;

const capturedSchema = z.object({
  kind: z.literal('done'),
  capture: captureSchema.omit({ model: true }),
});

/** The model is loaded; whether the runtime writes in place. */
const openedSchema = z.object({ kind: z.literal('opened'), fastCache: z.boolean() });
const captureToldSchema = z.discriminatedUnion('kind', [
  progressSchema,
  openedSchema,
  capturedSchema,
]);
export type CaptureTold = z.infer<typeof captureToldSchema>;

const aliveSchema = z.object({ kind: z.literal('alive') });

/** An answer behind signs of life. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the result has its type
export const answered = <T extends z.ZodType>(result: T) =>
  eventIterator(z.union([aliveSchema, z.object({ kind: z.literal('done'), result })]));

/** What the engine may ask about the inside of a model; captures are named by their ids. */
export const insideContract = {
  capture: call.input(captureRequestSchema).output(eventIterator(captureToldSchema)),
  /** Quick: answered between two steps of a job. */
  pattern: call.input(patternRequestSchema).output(squareSchema),
  // These may take longer than a process may be silent.
  sheet: call.input(sheetRequestSchema).output(answered(sheetSchema)),
  through: call.input(throughRequestSchema).output(answered(squareSchema)),
  heads: call.input(ofCapture).output(answered(z.array(headStatisticsSchema))),
  values: call.input(valuesRequestSchema).output(answered(ndArraySchema)),
  lens: call.input(lensRequestSchema).output(answered(lensSchema)),
  predictions: call.input(predictionsRequestSchema).output(answered(z.array(predictionSchema))),
  direct: call.input(directRequestSchema).output(answered(directSchema)),
};
