import { floatLinears, type Decoder } from './decoder.ts';
import type { FloatLinear } from './linear.ts';

/** Multiply-adds a second, as measured on two cores: the runtime in float32, products in float64. */
const runtimePerSecond = 5e10;
const productsPerSecond = 1.5e10;

/** Seconds to cut a part out of the graph and load it, for each layer that is looked at. */
const perLayer = 0.05;

/** Seconds that calibration text takes through these layers, `times` over. */
export function forwardSeconds(
  layers: readonly FloatLinear[],
  tokens: number,
  times: number,
): number {
  const weights = layers.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  return (times * tokens * weights) / runtimePerSecond;
}

/**
 * Seconds that walking layers one by one takes, each with the Hessian of its inputs and `products`
 * times N·K² multiply-adds. `npm run bench:estimates` prints what passes take beside it.
 */
export function calibratedSeconds(
  layers: readonly FloatLinear[],
  tokens: number,
  products: number,
): number {
  let work = 0;
  for (const { rows: N, columns: K } of layers) work += (tokens * K * K) / 2 + products * N * K * K;
  // A block runs once for each of its layers, on the average half of it, and once to go on.
  const forward = forwardSeconds(layers, tokens, 2.5);
  return forward + work / productsPerSecond + perLayer * layers.length;
}

/** Seconds that looking at the inputs of layers takes where no Hessian is made of them. */
export const observedSeconds = (layers: readonly FloatLinear[], tokens: number): number =>
  forwardSeconds(layers, tokens, 2.5) + perLayer * layers.length;

/** Seconds that walking blocks takes, each cut out once and run `times` over. */
export const walkedSeconds = (
  layers: readonly FloatLinear[],
  tokens: number,
  times: number,
): number =>
  forwardSeconds(layers, tokens, times) + perLayer * new Set(layers.map(({ block }) => block)).size;

/** Seconds of one run of the whole model on a sample of the tokens, its logits compared. */
export function trialSeconds(decoder: Decoder, tokens: number): number {
  const sample = Math.min(tokens, 2048);
  const logits = Math.min(sample * decoder.vocabularySize, 2 ** 24);
  return forwardSeconds(floatLinears(decoder), sample, 1) + logits * 4e-8 + perLayer;
}

/** Most bytes that walking layers takes: `matrices` of [K, K] and of [N, K] in float64, and the results. */
export function hessianBytes(layers: readonly FloatLinear[], matrices: number): number {
  const results = layers.reduce((sum, { rows, columns }) => sum + 4 * rows * columns, 0);
  const largest = layers.map(({ rows: N, columns: K }) => 8 * matrices * (K * K + N * K));
  return results + Math.max(...largest);
}
