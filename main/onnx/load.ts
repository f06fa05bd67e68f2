import { LatheError } from '../../preload/contract/errors.ts';
import type { Model } from './model.ts';

/** A model whose weights are read from its files until it is closed. */
export interface LoadedModel extends Model {
  close(): void;
}

/** Reads the graph of a model; weights stay in the file or beside it until asked for. */
export function loadModel(path: string): LoadedModel {
  throw new LatheError('internal', `not written yet: ${path}`);
}

/** Reads a model from memory; `origin` names it in errors. External data is refused. */
export function decodeModel(bytes: Uint8Array, origin: string): Model {
  throw new LatheError('internal', `not written yet: ${origin} ${bytes.length}`);
}
