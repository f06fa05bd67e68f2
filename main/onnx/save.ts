import { LatheError } from '../../preload/contract/errors.ts';
import type { Model } from './model.ts';

/** The model as one file in memory, weights inside; at most 2 GiB. */
export function encodeModel(model: Model): Uint8Array {
  throw new LatheError('internal', `not written yet: ${model.graph.name}`);
}

/** Writes the model; weights over 1 MB go beside it into `<path>.data`, aligned to 4,096 bytes. */
export function saveModel(model: Model, path: string): void {
  throw new LatheError('internal', `not written yet: ${model.graph.name} ${path}`);
}
