import { float32, floatsOf, type Session, type Tensor, type Tensors } from './session.ts';
import type { CachePort, Signature } from './signature.ts';

/** One run behind the tokens in the cache. */
interface CacheRun {
  /** All inputs but the cache. */
  readonly inputs: Tensors;
  /** Tokens before the run. */
  readonly used: number;
  /** Tokens after it. */
  readonly total: number;
  /** Where logits may be written: called when the cache has use for it. */
  readonly logits: () => Tensor;
}

/**
 * The keys and values of all layers for the tokens read so far, each [rows, kvHeads, slots,
 * headDim] with the layer's own numbers, and how a run reads and extends them.
 */
export interface Cache {
  /** Whether steps write in place; otherwise the whole cache is copied in every run. */
  readonly inPlace: boolean;
  /** Bytes held. */
  readonly bytes: number;
  /** Runs and gives the logits, [rows, wanted, vocabulary]. */
  run(session: Session, run: CacheRun): Promise<Tensor>;
  /** Keeps the first `length` tokens only. */
  rewind(length: number): void;
}

/** Slots of a new shared cache: small enough to cost nothing, enough for a short conversation. */
const firstSlots = 512;

/**
 * A cache in buffers that past and present share, so that a step writes one slot in place
 * (GroupQueryAttention). The buffers double when they are full, up to `capacity` tokens.
 */
export class SharedCache implements Cache {
  readonly inPlace = true;
  readonly #signature: Signature;
  readonly #rows: number;
  readonly #capacity: number;
  #slots: number;
  readonly #buffers: Float32Array<ArrayBuffer>[];
  readonly #feeds: Tensors = {};
  readonly #outputs: Tensors = {};

  constructor(signature: Signature, rows: number, capacity: number) {
    this.#signature = signature;
    this.#rows = rows;
    this.#capacity = capacity;
    this.#slots = Math.min(firstSlots, capacity);
    this.#buffers = signature.cache.map((port) => new Float32Array(this.#sizeOf(port)));
    for (let at = 0; at < this.#buffers.length; at++) this.#bind(at);
  }

  get bytes(): number {
    return this.#buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  async run(session: Session, { inputs, used, total, logits }: CacheRun): Promise<Tensor> {
    if (total > this.#slots) this.#grow(total, used);
    const given = logits();
    Object.assign(this.#feeds, inputs);
    this.#outputs['logits'] = given;
    await session.runInto(this.#feeds, this.#outputs);
    return given;
  }

  rewind(): void {
    // Slots behind the position are written before they are read.
  }

  /** Elements of one buffer. */
  #sizeOf({ kvHeads, headDim }: CachePort): number {
    return this.#rows * kvHeads * this.#slots * headDim;
  }

  #grow(total: number, used: number): void {
    const before = this.#slots;
    while (this.#slots < total) this.#slots = Math.min(this.#slots * 2, this.#capacity);
    for (const [at, old] of this.#buffers.entries()) {
      const port = this.#signature.cache[at];
      const { headDim } = port;
      const grown = new Float32Array(this.#sizeOf(port));
      copyRows(old, before * headDim, grown, this.#slots * headDim, used * headDim);
      this.#buffers[at] = grown;
      this.#bind(at);
      // Frees the old buffer now, so that growing holds one buffer twice and not all of them.
      old.buffer.transfer(0);
    }
  }

  /** Makes one buffer the past and the present of its layer. */
  #bind(at: number): void {
    const { past, present, kvHeads, headDim } = this.#signature.cache[at];
    const shared = float32(this.#buffers[at], [this.#rows, kvHeads, this.#slots, headDim]);
    this.#feeds[past] = shared;
    this.#outputs[present] = shared;
  }
}

/** A cache that every run gives back longer, in new tensors: for any decoder graph. */
export class GrowingCache implements Cache {
  readonly inPlace = false;
  readonly #signature: Signature;
  readonly #rows: number;
  readonly #feeds: Tensors = {};
  readonly #fetches: string[];

  constructor(signature: Signature, rows: number) {
    this.#signature = signature;
    this.#rows = rows;
    this.#fetches = ['logits', ...signature.cache.map(({ present }) => present)];
    for (const port of signature.cache) this.#feeds[port.past] = this.#tensor(port, 0);
  }

  get bytes(): number {
    return this.#signature.cache.reduce((sum, { past }) => sum + 4 * this.#feeds[past].size, 0);
  }

  async run(session: Session, { inputs }: CacheRun): Promise<Tensor> {
    Object.assign(this.#feeds, inputs);
    const results = await session.run(this.#feeds, this.#fetches);
    for (const { past, present } of this.#signature.cache) this.#feeds[past] = results[present];
    return results['logits'];
  }

  rewind(length: number): void {
    for (const port of this.#signature.cache) {
      const { past, headDim } = port;
      const count = length * headDim;
      const old = this.#feeds[past];
      const kept = this.#tensor(port, length);
      const stride = old.dims[2] * headDim;
      if (count > 0) copyRows(floatsOf(old), stride, floatsOf(kept), count, count);
      this.#feeds[past] = kept;
    }
  }

  #tensor({ kvHeads, headDim }: CachePort, length: number): Tensor {
    const dims = [this.#rows, kvHeads, length, headDim];
    return float32(new Float32Array(dims.reduce((product, dim) => product * dim, 1)), dims);
  }
}

/** Copies the first `count` elements of every row; rows lie `fromStride` and `toStride` apart. */
function copyRows(
  from: Float32Array,
  fromStride: number,
  to: Float32Array,
  toStride: number,
  count: number,
): void {
  for (let at = 0, start = 0; at < to.length; at += toStride, start += fromStride)
    to.set(from.subarray(start, start + count), at);
}
