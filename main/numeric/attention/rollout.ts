import { wholeView, plainMultiply, type Run } from '../linearAlgebra/multiply.ts';

/**
 * Half of what a position gets comes through the residual connection: ½A + ½I, every row divided by
 * its sum. `mean` is the mean of a layer's heads, [tokens, tokens].
 */
export function withResidual(mean: ArrayLike<number>, tokens: number): Float64Array<ArrayBuffer> {
  const mixed = new Float64Array(tokens * tokens);
  for (let row = 0; row < tokens; row++) {
    const start = row * tokens;
    let sum = 0;
    for (let column = 0; column < tokens; column++) {
      const value = (mean[start + column] + (row === column ? 1 : 0)) / 2;
      mixed[start + column] = value;
      sum += value;
    }
    for (let column = 0; column < tokens; column++) mixed[start + column] /= sum;
  }
  return mixed;
}

/**
 * Attention rollout (Abnar and Zuidema 2020, arXiv 2005.00928): A'ₗ … A'₁, how much of each token's
 * place at the end comes from each token at the beginning. `layers` gives the mean pattern of each
 * layer in turn, the first layer first. Rows sum to 1.
 */
export async function attentionRollout(
  layers: Iterable<ArrayLike<number>> | AsyncIterable<ArrayLike<number>>,
  tokens: number,
  { multiply = plainMultiply }: Run = {},
): Promise<Float64Array> {
  // Transposed, so that each product runs along the rows of both factors.
  let transposed = new Float64Array(tokens * tokens);
  for (let at = 0; at < tokens; at++) transposed[at * tokens + at] = 1;
  const view = (data: Float64Array) => wholeView(data, tokens, tokens);
  for await (const mean of layers) {
    const next = new Float64Array(tokens * tokens);
    const mixed = withResidual(mean, tokens);
    await multiply.addProduct(view(next), 1, view(transposed), view(mixed));
    transposed = next;
  }
  return transposed.map((_, at) => transposed[(at % tokens) * tokens + Math.floor(at / tokens)]);
}
