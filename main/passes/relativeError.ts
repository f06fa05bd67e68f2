import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import type { Run } from '../numeric/linearAlgebra/multiply.ts';
import { outputError } from '../numeric/quantization/errors.ts';

/**
 * ‖XW − XŴ‖ / ‖XW‖ over calibration tokens for each approximation Ŵ of a weight [N, K], from the
 * Hessian of its inputs [K, K]. 0 where nothing was lost, also of a layer that gives zeros only.
 */
export async function relativeOutputError(
  { weight, hessian }: { weight: Matrix; hessian: Float64Array },
  approximations: readonly Matrix[],
  run: Run,
): Promise<number[]> {
  const nothing = { ...weight, data: new Float32Array(weight.data.length) };
  const signal = await outputError(weight, nothing, hessian, run);
  const errors: number[] = [];
  for (const approximation of approximations) {
    const noise = await outputError(weight, approximation, hessian, run);
    // Rounding may leave a sum just below 0.
    errors.push(noise <= 0 ? 0 : Math.sqrt(noise / signal));
  }
  return errors;
}
