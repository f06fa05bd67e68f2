import * as z from 'zod';
import { float32s } from './arrays.ts';

export const weightsRequestSchema = z.object({
  model: z.string().min(1),
  /** A linear layer as recipes target it: `blocks.3.mlp.down`. */
  layer: z.string().min(1),
  /** The model to compare with; left out, the one it was made from, if it is a variant. */
  against: z.string().min(1).optional(),
});
export type WeightsRequest = z.infer<typeof weightsRequestSchema>;

/** Values of a matrix counted in bins of equal width. */
const histogramSchema = z.object({
  from: z.number(),
  to: z.number(),
  counts: z.array(z.number().int()),
});

/** One matrix as numbers, whatever it is stored as. */
export const weightsSchema = z.object({
  layer: z.string(),
  /** Output and input channels. */
  rows: z.number().int(),
  columns: z.number().int(),
  stored: z.string(),
  bits: z.number(),
  histogram: histogramSchema,
  mean: z.number(),
  deviation: z.number(),
  zeros: z.number().int(),
  /** Input channels whose largest value stands out: over 6 deviations of all channels' largest. */
  outliers: z.array(z.object({ channel: z.number().int(), largest: z.number() })),
  /** Descending; the 256 largest at most. Empty where the smaller side has over 2,048 channels. */
  singularValues: float32s,
  /** Against the same layer of another model; null without one or where shapes differ. */
  difference: z
    .object({
      model: z.string(),
      /** Of the other model, in the same bins. */
      histogram: histogramSchema,
      /** ‖W − W₀‖ / ‖W₀‖ */
      relativeError: z.number(),
      /** Root mean square error per cell of a grid over the matrix, [gridRows, gridColumns]. */
      gridRows: z.number().int(),
      gridColumns: z.number().int(),
      grid: float32s,
      singularValues: float32s,
    })
    .nullable(),
});
export type Weights = z.infer<typeof weightsSchema>;
