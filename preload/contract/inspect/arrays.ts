import * as z from 'zod';

/** Numbers that cross the border as they lie in memory. */
export const float32s = z.instanceof(Float32Array);
export const float64s = z.instanceof(Float64Array);
export const int32s = z.instanceof(Int32Array);

/** An array of any rank, row by row. */
export const ndArraySchema = z.object({ shape: z.array(z.number().int()), data: float32s });
export type NdArray = z.infer<typeof ndArraySchema>;
