import { LatheError } from '../../../preload/contract/errors.ts';
import { type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';

/** Sum of the cosines between a layer's residual stream before and after, over tokens. */
export interface BlockInfluence {
  cosines: number;
  tokens: number;
}

/** Adds the tokens of `before` and `after`, both [T, D]. A token that is all zero has cosine 0. */
export function addBlockInfluence(sum: BlockInfluence, before: Matrix, after: Matrix): void {
  if (before.rows !== after.rows || before.columns !== after.columns) {
    throw new LatheError(
      'tensor_mismatch',
      `a layer must keep the shape of its stream, ${before.rows} × ${before.columns}: ${after.rows} × ${after.columns}`,
    );
  }
  requireFinite(before.data, 'the residual stream');
  requireFinite(after.data, 'the residual stream');
  for (let token = 0; token < before.rows; token++) {
    let cross = 0;
    let first = 0;
    let second = 0;
    for (let i = token * before.columns; i < (token + 1) * before.columns; i++) {
      cross += before.data[i] * after.data[i];
      first += before.data[i] ** 2;
      second += after.data[i] ** 2;
    }
    if (first > 0 && second > 0) sum.cosines += cross / Math.sqrt(first) / Math.sqrt(second);
  }
  sum.tokens += before.rows;
}

/**
 * Block influence (ShortGPT, arXiv 2403.03853): 1 - mean cosine. The layer with the least changes
 * the stream least and is the first to go. Refused before any token was seen.
 */
export function blockInfluence({ cosines, tokens }: BlockInfluence): number {
  if (tokens > 0) return 1 - cosines / tokens;
  throw new LatheError('usage', 'block influence needs tokens, seen so far: 0');
}
