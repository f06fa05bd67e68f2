import { LatheError } from '../../../preload/contract/errors.ts';
import { type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';

/** How much of a weight [N, K] to zero. */
export type Sparsity =
  /** Share of all weights of the layer, 0 … 1. */
  | { readonly kind: 'unstructured'; readonly share: number }
  /** `zeros` of every `of` consecutive input channels: 2 of 4, 4 of 8. */
  | { readonly kind: 'n:m'; readonly zeros: number; readonly of: number };

/** A weight with zeros in it, and where they are. */
export interface Pruned {
  readonly weight: Matrix<Float32Array>;
  /** [N, K]: 1 where the weight was kept. */
  readonly kept: Uint8Array;
}

/** Refuses shares outside 0 … 1 and patterns that do not fit `columns` input channels. */
export function checkSparsity(sparsity: Sparsity, columns: number): void {
  switch (sparsity.kind) {
    case 'unstructured':
      if (sparsity.share >= 0 && sparsity.share <= 1) return;
      throw new LatheError('usage', `sparsity must be from 0 to 1: ${sparsity.share}`);
    case 'n:m': {
      const { zeros, of } = sparsity;
      if (!Number.isInteger(zeros) || !Number.isInteger(of) || zeros < 0 || zeros > of || of < 1) {
        throw new LatheError('usage', `a pattern zeroes n of m weights: ${zeros} of ${of}`);
      }
      if (columns % of === 0) return;
      throw new LatheError(
        'usage',
        `${columns} input channels cannot be cut into groups of: ${of}`,
      );
    }
  }
}

/**
 * Marks the `count` lowest of `scores` with 0 in `kept` (from `at` on), the rest with 1; of equal
 * scores the first go first.
 */
export function keepAllBut(
  scores: Float64Array,
  count: number,
  kept: Uint8Array,
  at: number,
): void {
  if (count <= 0) {
    kept.fill(1, at, at + scores.length);
    return;
  }
  const sorted = scores.toSorted();
  const threshold = sorted[Math.min(count, scores.length) - 1];
  let ties = count;
  for (let i = 0; i < scores.length; i++) if (scores[i] < threshold) ties--;
  for (let i = 0; i < scores.length; i++) {
    const lowest = scores[i] < threshold || (scores[i] === threshold && ties-- > 0);
    kept[at + i] = lowest ? 0 : 1;
  }
}

/** Zeros `zeros` of every `of` weights along K, the lowest by `score` of their index first. */
export function patternMask(
  { rows, columns }: Matrix,
  { zeros, of }: { readonly zeros: number; readonly of: number },
  score: (index: number) => number,
): Uint8Array {
  const kept = new Uint8Array(rows * columns);
  const scores = new Float64Array(of);
  for (let at = 0; at < kept.length; at += of) {
    for (let i = 0; i < of; i++) scores[i] = score(at + i);
    keepAllBut(scores, zeros, kept, at);
  }
  return kept;
}

/** The weight with 0 wherever `kept` is 0. */
export function applyMask({ rows, columns, data }: Matrix, kept: Uint8Array): Pruned {
  requireFinite(data, 'weights');
  const values = Float32Array.from(data, (value, i) => (kept[i] ? value : 0));
  return { weight: { rows, columns, data: values }, kept };
}

/** Share of zeros, whoever put them there. */
export function sparsityOf({ data }: Matrix): number {
  let zeros = 0;
  for (let i = 0; i < data.length; i++) if (data[i] === 0) zeros++;
  return data.length === 0 ? 0 : zeros / data.length;
}
