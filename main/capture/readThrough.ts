import { LatheError } from '../../preload/contract/errors.ts';
import { piecesOf } from '../inference/decoder.ts';
import { Inputs } from '../inference/inputs.ts';
import {
  float32,
  floatsOf,
  type Session,
  type Tensor,
  type Tensors,
} from '../inference/session.ts';
import type { CachePort, Signature } from '../inference/signature.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';

/** A value to be kept, [tokens, width]: rows are written as they are computed. */
export interface Tap {
  readonly name: string;
  readonly width: number;
  readonly data: Float32Array;
}

/** Rows that a piece of the text gave, [1, …, rows, …], in a tensor that holds until the visit ends. */
export type VisitRows = (name: string, rows: Tensor, first: number) => Promise<void> | void;

/** What is wanted of a text. */
export interface Reading {
  readonly ids: readonly number[];
  readonly taps?: readonly Tap[];
  /** Values shown piece by piece instead of being kept. */
  readonly shown?: readonly string[];
  readonly visit?: VisitRows;
  /** Inputs that are the same for every piece. */
  readonly constant?: Tensors;
  /** Tokens of a piece at most. */
  readonly piece?: number;
  readonly onProgress?: ((fraction: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a text through a decoder graph piece by piece, with nothing in its cache before, and keeps
 * or shows values of it. Gives the keys and values of all layers in the order of the signature, each
 * [kvHeads, tokens, headDim]. Where the runtime can, it writes in place and nothing is copied.
 */
export async function readThrough(
  session: Session,
  signature: Signature,
  { ids, taps = [], shown = [], visit, constant = {}, piece, onProgress, signal }: Reading,
): Promise<Float32Array[]> {
  const tokens = ids.length;
  const pieces = piecesOf(ids, piece);
  const inPlace = session.canRunInto && signature.takes.seqlens_k && shown.length === 0;
  const cache = new Cache(signature, tokens, inPlace);
  let first = 0;
  for (const part of pieces) {
    await nextTurn(signal);
    // Logits that nobody looks at are computed for one row alone.
    const rows = shown.includes('logits') ? [...part.keys()] : [part.length - 1];
    const inputs = new Inputs(signature, 1, part.length, rows).at(first, part);
    const feeds = { ...inputs, ...constant, ...cache.feeds };
    if (inPlace) {
      await session.runInto(feeds, { ...windows(taps, first, part.length), ...cache.outputs });
    } else {
      const names = [...taps.map(({ name }) => name), ...shown, ...cache.names];
      const results = await session.run(feeds, names);
      for (const { name, width, data } of taps)
        data.set(checked(results[name], name, part.length * width), first * width);
      cache.take(results);
      for (const name of shown) await visit?.(name, results[name], first);
    }
    first += part.length;
    onProgress?.(first / tokens);
  }
  return cache.buffers(tokens);
}

/** The rows of a piece as tensors over the arrays that keep them. */
function windows(taps: readonly Tap[], first: number, rows: number): Tensors {
  return Object.fromEntries(
    taps.map(({ name, width, data }) => [
      name,
      float32(data.subarray(first * width, (first + rows) * width), [1, rows, width]),
    ]),
  );
}

function checked(tensor: Tensor, name: string, size: number): Float32Array {
  const data = floatsOf(tensor);
  if (data.length === size) return data;
  throw new LatheError(
    'runtime_failed',
    `a value is not of the size expected: ${name}: ${tensor.dims.join(' × ')}`,
    { value: name },
  );
}

/** Keys and values between two pieces: in buffers for the whole text, or as every piece gives them. */
class Cache {
  readonly feeds: Tensors = {};
  readonly outputs: Tensors = {};
  readonly names: readonly string[];
  private readonly ports: readonly CachePort[];

  constructor({ cache }: Signature, tokens: number, inPlace: boolean) {
    this.ports = cache;
    this.names = cache.map(({ present }) => present);
    for (const { past, present, kvHeads, headDim } of cache) {
      const slots = inPlace ? tokens : 0;
      const buffer = new Float32Array(kvHeads * slots * headDim);
      this.feeds[past] = float32(buffer, [1, kvHeads, slots, headDim]);
      if (inPlace) this.outputs[present] = this.feeds[past];
    }
  }

  take(results: Tensors): void {
    for (const { past, present } of this.ports) this.feeds[past] = results[present];
  }

  buffers(tokens: number): Float32Array[] {
    return this.ports.map(({ past, kvHeads, headDim }) =>
      checked(this.feeds[past], past, kvHeads * tokens * headDim),
    );
  }
}
