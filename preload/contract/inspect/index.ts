import { eventIterator, oc } from '@orpc/contract';
import * as z from 'zod';
import { errorMap } from '../errors.ts';
import { ndArraySchema } from './arrays.ts';
import { attributionEventSchema, attributionRequestSchema } from './attribution.ts';
import {
  captureEventSchema,
  captureRequestSchema,
  headStatisticsSchema,
  ofCapture,
  patternRequestSchema,
  sheetRequestSchema,
  sheetSchema,
  squareSchema,
  throughRequestSchema,
  valuesRequestSchema,
} from './capture.ts';
import {
  blameEventSchema,
  differenceEventSchema,
  differenceRequestSchema,
  ofDifference,
  patternPairRequestSchema,
  patternPairSchema,
  repairRequestSchema,
  repairSchema,
} from './difference.ts';
import {
  directRequestSchema,
  directSchema,
  lensRequestSchema,
  lensSchema,
  predictionSchema,
  predictionsRequestSchema,
} from './lens.ts';
import {
  lossesEventSchema,
  lossesRequestSchema,
  neighboursRequestSchema,
  neighboursSchema,
  tokenTextRequestSchema,
  tokenTextSchema,
} from './tokens.ts';
import { weightsRequestSchema, weightsSchema } from './weights.ts';

export * from './arrays.ts';
export * from './attribution.ts';
export * from './capture.ts';
export * from './difference.ts';
export * from './lens.ts';
export * from './tokens.ts';
export * from './weights.ts';

const call = oc.errors(errorMap);

/** What can be asked about the inside of a model. */
export const inspectContract = {
  /** Runs a prompt and keeps what the model computed; the newest captures of a model stay. */
  capture: call.input(captureRequestSchema).output(eventIterator(captureEventSchema)),
  /** The patterns of all heads, small. */
  sheet: call.input(sheetRequestSchema).output(sheetSchema),
  pattern: call.input(patternRequestSchema).output(squareSchema),
  through: call.input(throughRequestSchema).output(squareSchema),
  heads: call.input(ofCapture).output(z.array(headStatisticsSchema)),
  /** One value of the graph as it was. */
  values: call.input(valuesRequestSchema).output(ndArraySchema),
  lens: call.input(lensRequestSchema).output(lensSchema),
  predictions: call.input(predictionsRequestSchema).output(z.array(predictionSchema)),
  direct: call.input(directRequestSchema).output(directSchema),
  attribution: call.input(attributionRequestSchema).output(eventIterator(attributionEventSchema)),
  difference: call.input(differenceRequestSchema).output(eventIterator(differenceEventSchema)),
  patternPair: call.input(patternPairRequestSchema).output(patternPairSchema),
  /** A comparison as one HTML file that needs nothing else. */
  report: call.input(ofDifference).output(z.object({ html: z.string() })),
  /** Which layers of a variant make it differ: those of the base are put back group by group. */
  blame: call.input(differenceRequestSchema).output(eventIterator(blameEventSchema)),
  repair: call.input(repairRequestSchema).output(repairSchema),
  tokenText: call.input(tokenTextRequestSchema).output(tokenTextSchema),
  losses: call.input(lossesRequestSchema).output(eventIterator(lossesEventSchema)),
  neighbours: call.input(neighboursRequestSchema).output(neighboursSchema),
  weights: call.input(weightsRequestSchema).output(weightsSchema),
};
