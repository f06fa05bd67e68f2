import { LatheError } from '../../preload/contract/errors.ts';
import { GrowingCache, SharedCache, type Cache } from './cache.ts';
import { Inputs } from './inputs.ts';
import {
  float32,
  floatsOf,
  Session,
  type SessionOptions,
  type Tensor,
  type Tensors,
} from './session.ts';
import { signatureOf, type Signature } from './signature.ts';
import { checkTokens } from './vocabulary.ts';

interface ReadingOptions {
  /** Longest text in tokens that the model was made for; the cache never grows beyond. */
  readonly contextLength: number;
  /** Inputs that the graph has beside those of a decoder; every run takes them as they are then. */
  readonly constant?: Tensors | undefined;
}

export interface DecoderOptions extends SessionOptions, ReadingOptions {}

export interface PrefillOptions {
  /** Called after every chunk with the fraction done. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  /** Looked at between chunks; the chunks read by then stay read. */
  readonly signal?: AbortSignal | undefined;
}

/** Tokens per run of a prefill: enough for full speed, few enough to cancel soon. */
const prefillChunk = 512;

/**
 * The pieces in which a prefill reads tokens, of `most` at most where that is less than usual (3 or
 * more). None is a single token unless that is all there is: the runtime multiplies a single row by
 * another kernel, which rounds differently, and the logits of a text are not to depend on how much
 * of it was in the cache already.
 */
export function piecesOf(ids: readonly number[], most = prefillChunk): (readonly number[])[] {
  const longest = Math.min(most, prefillChunk);
  const pieces: (readonly number[])[] = [];
  for (let start = 0, end = 0; start < ids.length; start = end) {
    end = Math.min(start + longest, ids.length);
    if (end === ids.length - 1) end--;
    pieces.push(ids.slice(start, end));
  }
  return pieces;
}

/**
 * A causal language model and the text it has read. Tokens are appended by `prefill`, `step` and
 * `logits`, and forgotten by `rewind`. One call at a time. Logits that a call returns hold until
 * the next call.
 *
 * Every row of the batch reads the same tokens: more than one row serves measuring only.
 */
export class Decoder {
  readonly capacity: number;
  readonly rows: number;
  readonly #session: Session;
  readonly #signature: Signature;
  readonly #cache: Cache;
  readonly #constant: Tensors;
  readonly #ids: number[] = [];
  #reusable = 0;
  readonly #stepInputs: Inputs;
  /** Logits of one position, [rows, 1, vocabulary]: the same array for every step. */
  readonly #stepLogits: () => Tensor;

  private constructor(
    session: Session,
    signature: Signature,
    { contextLength, constant = {} }: ReadingOptions,
    rows: number,
  ) {
    this.#session = session;
    this.#signature = signature;
    this.#constant = constant;
    this.capacity = contextLength;
    this.rows = rows;
    this.#cache = sharesCache(session, signature)
      ? new SharedCache(signature, rows, contextLength)
      : new GrowingCache(signature, rows);
    this.#stepInputs = new Inputs(signature, rows, 1, [0]);
    const logits = this.#newLogits(1);
    this.#stepLogits = () => logits;
  }

  /** Loads a decoder graph. Throws `graph_invalid` where it is none, `runtime_failed` where it does not load. */
  static async open(file: string, options: DecoderOptions): Promise<Decoder> {
    const session = await Session.open(file, options);
    try {
      return Decoder.over(session, options);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** A decoder graph that is loaded already. Throws `graph_invalid` where it is none. */
  static over(session: Session, options: ReadingOptions): Decoder {
    const { constant = {} } = options;
    const inputs = session.inputs.filter(({ name }) => !(name in constant));
    return new Decoder(session, signatureOf(session.file, inputs, session.outputs), options, 1);
  }

  /** The same loaded model with an empty cache of its own for `rows` equal rows. */
  withRows(rows: number): Decoder {
    const options = { contextLength: this.capacity, constant: this.#constant };
    return new Decoder(this.#session, this.#signature, options, rows);
  }

  /** The tokens read so far. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /**
   * How many of the first tokens were read in pieces: a new text that begins with the same tokens
   * may keep these and gets the same logits to the bit. What `step` read was rounded differently.
   */
  get reusable(): number {
    return this.#reusable;
  }

  /** How many tokens have been read. */
  get position(): number {
    return this.#ids.length;
  }

  /** Whether the cache is extended in place; otherwise every step copies it. */
  get fastCache(): boolean {
    return this.#cache.inPlace;
  }

  /** Bytes of keys and values held. */
  get cacheBytes(): number {
    return this.#cache.bytes;
  }

  get vocabularySize(): number {
    return this.#signature.vocabularySize;
  }

  /**
   * Reads tokens in chunks and gives the logits of the last, [rows × vocabulary].
   * Throws `context_overflow` or `tokenizer_invalid` before reading anything, `cancelled` between
   * chunks.
   */
  async prefill(
    ids: readonly number[],
    { onProgress, signal }: PrefillOptions = {},
  ): Promise<Float32Array> {
    this.#checkText(ids);
    let logits: Float32Array | undefined;
    let read = 0;
    // GroupQueryAttention reads more than one row only in one piece.
    for (const piece of this.rows === 1 ? piecesOf(ids) : [ids]) {
      if (signal?.aborted)
        throw new LatheError('cancelled', `cancelled after ${read} of ${ids.length} tokens`);
      const inputs = new Inputs(this.#signature, this.rows, piece.length, [piece.length - 1]);
      logits = this.#lastOf(await this.#run(inputs, piece, this.#stepLogits));
      read += piece.length;
      onProgress?.(read / ids.length);
    }
    if (!logits) throw new LatheError('usage', 'there is nothing to read: 0 tokens');
    return logits;
  }

  /** Reads one token and gives the logits that follow it, [rows × vocabulary]. Throws `context_overflow`. */
  async step(id: number): Promise<Float32Array> {
    this.#checkRoom(1);
    return this.#lastOf(await this.#run(this.#stepInputs, [id], this.#stepLogits));
  }

  /**
   * Reads tokens in one run and gives the logits behind each of them: `data` is
   * [rows × tokens × vocabulary]. For measuring; the caller chooses how many at once.
   */
  async logits(ids: readonly number[]): Promise<{ data: Float32Array; dims: readonly number[] }> {
    this.#checkText(ids);
    const inputs = new Inputs(this.#signature, this.rows, ids.length, [...ids.keys()]);
    const result = await this.#run(inputs, ids, () => this.#newLogits(ids.length));
    return { data: floatsOf(result), dims: result.dims };
  }

  /** Forgets all tokens from `position` on. */
  rewind(position: number): void {
    if (position >= this.#ids.length) return;
    this.#cache.rewind(position);
    this.#ids.length = position;
    this.#reusable = Math.min(this.#reusable, position);
  }

  /** Completes the file that the option `profile` asked for. */
  endProfiling(): void {
    this.#session.endProfiling();
  }

  /** Frees the model, also for decoders made by `withRows`. */
  async close(): Promise<void> {
    await this.#session.close();
  }

  async #run(inputs: Inputs, ids: readonly number[], logits: () => Tensor): Promise<Tensor> {
    const used = this.#ids.length;
    const total = used + ids.length;
    const all = Object.assign(inputs.at(used, ids), this.#constant);
    const run = { inputs: all, used, total, logits };
    const result = await this.#cache.run(this.#session, run);
    if (this.#reusable === used && ids.length > 1) this.#reusable = total;
    for (const id of ids) this.#ids.push(id);
    return result;
  }

  /** The last position of every row; a graph without `logits_index` gives all positions. */
  #lastOf(logits: Tensor): Float32Array {
    const positions = logits.dims[1] ?? 1;
    const all = floatsOf(logits);
    if (positions === 1) return all;
    const { vocabularySize } = this.#signature;
    const last = new Float32Array(this.rows * vocabularySize);
    for (let row = 0; row < this.rows; row++) {
      const end = (row + 1) * positions * vocabularySize;
      last.set(all.subarray(end - vocabularySize, end), row * vocabularySize);
    }
    return last;
  }

  #newLogits(positions: number): Tensor {
    const { vocabularySize } = this.#signature;
    const size = this.rows * positions * vocabularySize;
    return float32(new Float32Array(size), [this.rows, positions, vocabularySize]);
  }

  #checkText(ids: readonly number[]): void {
    this.#checkRoom(ids.length);
    checkTokens(ids, this.vocabularySize);
  }

  #checkRoom(count: number): void {
    const total = this.#ids.length + count;
    if (total > this.capacity)
      throw new LatheError(
        'context_overflow',
        `the text is longer than the context: ${total} tokens, the model reads ${this.capacity}`,
        { value: String(total), next: ['shorten-prompt'] },
      );
  }
}

/** In-place extension needs the guard and GroupQueryAttention's own count of tokens. */
function sharesCache(session: Session, { takes }: Signature): boolean {
  return session.canRunInto && takes.logits_index && takes.seqlens_k && takes.total_sequence_length;
}
