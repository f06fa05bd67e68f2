import type { FloatLinear } from './linear.ts';

/** Multiply-adds a second of products in float64, as measured on two cores. */
const productsPerSecond = 1.5e10;

/** Calibration tokens an estimate assumes: 64 sequences of 256. */
const tokens = 64 * 256;

/** Seconds that walking layers takes, with `products` times N·K² multiply-adds in each. */
export function calibratedSeconds(layers: readonly FloatLinear[], products: number): number {
  let work = 0;
  for (const { rows: N, columns: K } of layers) {
    // Activations, which run in float32; the Hessian; what the method does with it.
    work += (tokens * N * K) / 4 + (tokens * K * K) / 2 + products * N * K * K;
  }
  return work / productsPerSecond;
}

/** Most bytes that walking layers takes: `matrices` of [K, K] and of [N, K] in float64, and the results. */
export function hessianBytes(layers: readonly FloatLinear[], matrices: number): number {
  const results = layers.reduce((sum, { rows, columns }) => sum + 4 * rows * columns, 0);
  const largest = layers.map(({ rows: N, columns: K }) => 8 * matrices * (K * K + N * K));
  return results + Math.max(...largest);
}
