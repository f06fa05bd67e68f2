import { int32, int64, type Tensors } from './session.ts';
import type { Signature } from './signature.ts';

/**
 * The inputs of a run over `length` new tokens, besides the cache. Arrays and tensors are made
 * once and written in place, so that a step allocates nothing; only an attention mask, whose
 * length changes with the text, is a new view every time.
 */
export class Inputs {
  readonly #rows: number;
  readonly #length: number;
  readonly #tensors: Tensors;
  readonly #ids: BigInt64Array;
  readonly #positions: BigInt64Array | undefined;
  readonly #lastOfRow: Int32Array | undefined;
  readonly #total: Int32Array | undefined;
  #ones: BigInt64Array | undefined;

  /** `wanted`: positions within the new tokens whose logits the run is to give. */
  constructor({ takes }: Signature, rows: number, length: number, wanted: readonly number[]) {
    this.#rows = rows;
    this.#length = length;
    this.#ids = new BigInt64Array(rows * length);
    this.#tensors = { input_ids: int64(this.#ids, [rows, length]) };
    if (takes.logits_index)
      this.#tensors['logits_index'] = int64(BigInt64Array.from(wanted, BigInt), [wanted.length]);
    if (takes.position_ids) {
      this.#positions = new BigInt64Array(rows * length);
      this.#tensors['position_ids'] = int64(this.#positions, [rows, length]);
    }
    if (takes.seqlens_k) {
      this.#lastOfRow = new Int32Array(rows);
      this.#tensors['seqlens_k'] = int32(this.#lastOfRow, [rows]);
    }
    if (takes.total_sequence_length) {
      this.#total = new Int32Array(1);
      this.#tensors['total_sequence_length'] = int32(this.#total, []);
    }
    if (takes.attention_mask) this.#ones = new BigInt64Array(0);
  }

  /** The inputs for these tokens behind `position` others; every row gets the same. */
  at(position: number, ids: ArrayLike<number>): Tensors {
    const total = position + this.#length;
    for (let row = 0; row < this.#rows; row++)
      for (let index = 0; index < this.#length; index++) {
        const at = row * this.#length + index;
        this.#ids[at] = BigInt(ids[index] ?? 0);
        if (this.#positions) this.#positions[at] = BigInt(position + index);
      }
    this.#lastOfRow?.fill(total - 1);
    this.#total?.fill(total);
    if (this.#ones) {
      const size = this.#rows * total;
      if (this.#ones.length < size) this.#ones = new BigInt64Array(2 * size).fill(1n);
      this.#tensors['attention_mask'] = int64(this.#ones.subarray(0, size), [this.#rows, total]);
    }
    return this.#tensors;
  }
}
