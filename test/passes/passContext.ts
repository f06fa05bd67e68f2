import { plainMultiply } from '../../main/numeric/linearAlgebra/multiply.ts';
import type { PassContext } from '../../main/passes/pass.ts';

/** A context for passes that need no calibration. */
export function passContext(changes: Partial<PassContext> = {}): PassContext {
  return {
    signal: new AbortController().signal,
    multiply: plainMultiply,
    seed: 0,
    progress: () => {},
    layer: () => {},
    calibration: () => Promise.reject(new Error('this pass was not to calibrate')),
    ...changes,
  };
}
