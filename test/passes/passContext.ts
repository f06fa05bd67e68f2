import { plainMultiply } from '../../main/numeric/linearAlgebra/multiply.ts';
import type { PassContext } from '../../main/passes/pass.ts';
import type { SequenceContext } from '../../main/passes/sequence.ts';

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

/** The same for whole recipes. */
export function sequenceContext(changes: Partial<SequenceContext> = {}): SequenceContext {
  return { ...passContext(), progress: () => {}, layer: () => {}, ...changes };
}
