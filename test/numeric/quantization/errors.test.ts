import { expect, test } from 'vitest';
import { outputError, weightError } from '../../../main/numeric/quantization/errors.ts';
import {
  addTokens,
  createHessian,
  hessianMatrix,
} from '../../../main/numeric/linearAlgebra/hessian.ts';
import { correlatedInputs, outputMeanSquare, randomMatrix } from '../samples.ts';

test('the error of weights is told relative, as mean square and in decibels', () => {
  expect(weightError(Float32Array.of(3, 4), Float32Array.of(3, 4.5))).toEqual({
    relative: 0.1,
    meanSquare: 0.125,
    signalToNoise: 20,
  });
});

test('nothing lost is an error of 0, also of nothing at all', () => {
  const none = { relative: 0, meanSquare: 0, signalToNoise: Infinity };
  expect(weightError(new Float32Array(2), new Float32Array(2))).toEqual(none);
  expect(weightError(new Float32Array(0), new Float32Array(0))).toEqual(none);
});

test('all lost is an error of 1 and 0 dB, noise without signal is without limit', () => {
  expect(weightError(Float32Array.of(2), Float32Array.of(0))).toMatchObject({
    relative: 1,
    signalToNoise: 0,
  });
  expect(weightError(Float32Array.of(0), Float32Array.of(2)).relative).toBe(Infinity);
});

test('the error of outputs is twice the squared error of a token, summed over outputs', async () => {
  const inputs = correlatedInputs(1, 80, 24);
  const hessian = createHessian(24);
  await addTokens(hessian, inputs);
  // More rows than are multiplied at a time.
  const [a, b] = [randomMatrix(1, 300, 24), randomMatrix(2, 300, 24)];
  const error = await outputError(a, b, hessianMatrix(hessian));
  expect(error / (2 * 300 * outputMeanSquare(a, b, inputs))).toBeCloseTo(1, 9);
});

test('a Hessian of another layer is refused', async () => {
  const weight = randomMatrix(1, 2, 3);
  await expect(outputError(weight, weight, new Float64Array(4))).rejects.toMatchObject({
    code: 'tensor_mismatch',
  });
});
