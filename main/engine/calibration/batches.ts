import { float32, int32, int64, type Session, type Tensors } from '../../inference/session.ts';
import { nextTurn } from '../../numeric/linearAlgebra/multiply.ts';
import type { Model } from '../../onnx/model.ts';
import type { Sequences } from './sequences.ts';

/** Some of the calibration sequences, run at once. */
export interface Batch {
  /** Index of the first sequence. */
  readonly first: number;
  readonly rows: number;
  /** Tokens of each. */
  readonly length: number;
  /** int64 [rows, length]. */
  readonly ids: BigInt64Array;
}

/** A run of this many multiply-adds takes well under a second: a cancel is heard in time. */
const MOST_WORK = 2 ** 34;
/** The largest value of a run, in elements. */
const MOST_ELEMENTS = 2 ** 25;
const MOST_TOKENS = 2048;

/** The first `count` sequences in batches that suit a part of a graph. */
export async function* batchesFor(
  { graph }: Model,
  { ids, length }: Sequences,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  let weights = 1;
  let widest = 1;
  for (const { bytes, dims } of graph.initializers.values()) {
    weights += bytes.length / 4;
    widest = Math.max(widest, ...dims);
  }
  const tokens = Math.min(MOST_TOKENS, MOST_WORK / weights, MOST_ELEMENTS / widest);
  const atOnce = Math.max(1, Math.floor(tokens / length));
  for (let first = 0; first < count; first += atOnce) {
    await nextTurn(signal);
    const some = ids.slice(first, Math.min(first + atOnce, count));
    const flat = BigInt64Array.from(some.flat(), BigInt);
    yield { first, rows: some.length, length, ids: flat };
  }
}

/**
 * What a part of a decoder takes besides hidden states, by the names of its inputs: every row is a
 * whole sequence from its beginning, and the logits of all positions are wanted.
 */
export function feedsFor(session: Session, { ids, rows, length }: Batch): Tensors {
  const feeds: Tensors = {};
  for (const { name, shape } of session.inputs) {
    switch (name) {
      case 'input_ids':
        feeds[name] = int64(ids, [rows, length]);
        break;
      case 'logits_index':
        feeds[name] = int64(positions(length), [length]);
        break;
      case 'seqlens_k':
        feeds[name] = int32(new Int32Array(rows).fill(length - 1), [rows]);
        break;
      case 'total_sequence_length':
        feeds[name] = int32(Int32Array.of(length), []);
        break;
      case 'position_ids': {
        const all = new BigInt64Array(rows * length);
        for (let row = 0; row < rows; row++) all.set(positions(length), row * length);
        feeds[name] = int64(all, [rows, length]);
        break;
      }
      case 'attention_mask':
        feeds[name] = int64(new BigInt64Array(rows * length).fill(1n), [rows, length]);
        break;
      default:
        if (name.startsWith('past_key_values.')) {
          const dims = [rows, Number(shape[1]), 0, Number(shape[3])];
          feeds[name] = float32(new Float32Array(0), dims);
        }
    }
  }
  return feeds;
}

function positions(length: number): BigInt64Array {
  return BigInt64Array.from({ length }, (_, position) => BigInt(position));
}
