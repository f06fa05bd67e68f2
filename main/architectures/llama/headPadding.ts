import type { Rearrange } from '../tensors.ts';
import type { LlamaConfig } from './config.ts';

/**
 * GroupQueryAttention of onnxruntime 1.30 turns heads of a multiple of 16 elements only. Other
 * heads are padded with zeros, which changes no score and no output.
 */
const HEAD_MULTIPLE = 16;

/** Elements of a head in the fused form: `headDim` or the next size that can be computed. */
export function paddedHeadDim({ headDim }: LlamaConfig): number {
  return Math.ceil(headDim / HEAD_MULTIPLE) * HEAD_MULTIPLE;
}

/**
 * Pads every head's rows with rows of zeros, for matrices (and, with one column, biases) that give
 * queries and keys. Each half is padded by itself, since rotary embedding pairs element i with
 * element i + half.
 */
export function padTurnedRows(config: LlamaConfig, columns: number): Rearrange | undefined {
  return padChunks((config.headDim / 2) * columns, (paddedHeadDim(config) / 2) * columns);
}

/** The same for values, which do not turn: zeros behind each head's rows. */
export function padRows(config: LlamaConfig, columns: number): Rearrange | undefined {
  return padChunks(config.headDim * columns, paddedHeadDim(config) * columns);
}

/** Pads the columns that take the heads' outputs. */
export function padColumns(config: LlamaConfig): Rearrange | undefined {
  return padChunks(config.headDim, paddedHeadDim(config));
}

/** Zeros after every `length` elements up to `padded`; undefined where there is nothing to do. */
function padChunks(length: number, padded: number): Rearrange | undefined {
  if (length === padded) return undefined;
  return (bytes, size) => {
    const chunk = length * size;
    const result = new Uint8Array((bytes.length / chunk) * padded * size);
    for (let from = 0, to = 0; from < bytes.length; from += chunk, to += padded * size) {
      result.set(bytes.subarray(from, from + chunk), to);
    }
    return result;
  };
}
