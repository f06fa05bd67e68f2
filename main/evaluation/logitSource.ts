import { LatheError } from '../../preload/contract/errors.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** What gives logits for token sequences: a decoder, as far as measuring needs it. */
export interface LogitSource {
  /** Longest text in tokens. */
  readonly capacity: number;
  readonly vocabularySize: number;
  /** Forgets all tokens from `position` on. */
  rewind(position: number): void;
  /** Reads tokens behind those read before; the logits behind each, [tokens × vocabulary]. */
  logits(ids: readonly number[]): Promise<{ readonly data: Float32Array }>;
}

/** A model and its tokenizer. */
export interface TextModel {
  readonly decoder: LogitSource;
  readonly tokenizer: Tokenizer;
}

/** Logits held at once per model, in elements: 64 MB. */
const mostLogits = 2 ** 24;

/**
 * Reads a text from its beginning by all sources, piece by piece, and shows the logits that each
 * gives behind token `at`. The arrays hold during the call only. Throws `cancelled` between pieces.
 * The text stays read.
 */
export async function readRows(
  sources: readonly LogitSource[],
  ids: readonly number[],
  visit: (at: number, rows: readonly Float32Array[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  const sizes = sources.map(({ vocabularySize }) => vocabularySize);
  const most = Math.max(3, Math.floor(mostLogits / Math.max(...sizes)));
  for (const source of sources) source.rewind(0);
  for (let start = 0, end = 0; start < ids.length; start = end) {
    if (signal?.aborted) throw new LatheError('cancelled', 'the measurement was cancelled');
    end = Math.min(start + most, ids.length);
    // A single row is multiplied by another kernel, which rounds differently.
    if (end === ids.length - 1) end--;
    const piece = ids.slice(start, end);
    const read: Float32Array[] = [];
    for (const source of sources) read.push((await source.logits(piece)).data);
    for (let row = 0; row < piece.length; row++) {
      const rows = read.map((data, i) => data.subarray(row * sizes[i], (row + 1) * sizes[i]));
      visit(start + row, rows);
    }
  }
}
