import type { LayerReport } from '../../preload/contract/recipe.ts';
import type { FloatLinear } from './linear.ts';

/** What a pass lost in a layer; see the contract's LayerReport. */
export interface Loss {
  readonly measure: LayerReport['measure'];
  readonly before: number | null;
  readonly after: number | null;
  readonly note?: string | undefined;
}

/** The report of a layer that was stored in `bytes`; `started` is of performance.now(). */
export function layerReport(
  { name, rows, columns, weight }: FloatLinear,
  bytes: number,
  { measure, before, after, note }: Loss,
  started: number,
): LayerReport {
  return {
    layer: name,
    measure,
    errorBefore: before,
    errorAfter: after,
    bits: (8 * bytes) / (rows * columns),
    bytesBefore: weight.bytes.length,
    bytes,
    seconds: (performance.now() - started) / 1000,
    ...(note === undefined ? {} : { note }),
  };
}
