import { expect, test } from 'vitest';
import {
  addTokens,
  createHessian,
  factorHessian,
  hessianMatrix,
} from '../../../main/numeric/linearAlgebra/hessian.ts';
import { matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import gptq from '../../golden/gptq.json';
import { correlatedInputs, distance, fromRows } from '../samples.ts';

test('H is 2/n times the sum of the inputs’ outer products', async () => {
  const hessian = createHessian(2);
  await addTokens(hessian, matrix(2, 2, Float32Array.of(1, 2, 3, -4)));
  expect([...hessianMatrix(hessian)]).toEqual([10, -10, -10, 20]);
});

test('batches add up to the same H as all tokens at once', async () => {
  const inputs = correlatedInputs(3, 700, 67);
  const whole = createHessian(67);
  await addTokens(whole, inputs);
  const parts = createHessian(67);
  for (const [from, to] of [
    [0, 1],
    [1, 300],
    [300, 700],
  ]) {
    await addTokens(parts, matrix(to - from, 67, inputs.data.slice(from * 67, to * 67)));
  }
  expect(distance(hessianMatrix(parts), hessianMatrix(whole))).toBeLessThanOrEqual(1e-14);
});

test('H of the golden inputs is symmetric and needs no raised damping', async () => {
  const hessian = createHessian(32);
  await addTokens(hessian, fromRows(gptq.X));
  const h = hessianMatrix(hessian);
  expect(h.every((value, i) => value === h[(i % 32) * 32 + Math.floor(i / 32)])).toBe(true);
  const trace = h.reduce((sum, value, i) => (i % 33 === 0 ? sum + value : sum), 0);
  expect((await factorHessian(h, 32))?.damping).toBeCloseTo((0.01 * trace) / 32, 12);
});

test('activation order puts the loudest channel first, the earlier one of equals', async () => {
  const h = Float64Array.of(2, 0, 0, 0, 5, 0, 0, 0, 2);
  expect([...(await factorHessian(h, 3, { activationOrder: true }))!.order]).toEqual([1, 0, 2]);
});

test('channels that were always zero get a diagonal of one', async () => {
  const h = Float64Array.of(4, 0, 0, 0);
  const factor = await factorHessian(h, 2, { damp: 0.5 });
  expect([...factor!.dead]).toEqual([0, 1]);
  // (4 + 1) / 2 · 0.5 = 1.25 on the diagonal.
  expect(
    distance(factor!.factor, [1 / Math.sqrt(5.25), 0, 0, 1 / Math.sqrt(2.25)]),
  ).toBeLessThanOrEqual(1e-14);
});

test('damping is raised tenfold until H can be factored, and given up after three times', async () => {
  const slightly = Float64Array.of(1, 1.05, 1.05, 1);
  expect((await factorHessian(slightly, 2))?.damping).toBeCloseTo(0.1, 12);
  const hopeless = Float64Array.of(1, 20, 20, 1);
  expect(await factorHessian(hopeless, 2)).toBeNull();
});

test('fewer tokens than channels still give a factor', async () => {
  const hessian = createHessian(40);
  await addTokens(hessian, correlatedInputs(1, 3, 40));
  expect(await factorHessian(hessianMatrix(hessian), 40)).not.toBeNull();
});

test.each([NaN, Infinity])('inputs that hold %d are refused', async (value) => {
  const inputs = matrix(1, 2, Float32Array.of(1, value));
  await expect(addTokens(createHessian(2), inputs)).rejects.toMatchObject({
    code: 'values_not_finite',
  });
});

test('inputs of another width are refused', async () => {
  await expect(
    addTokens(createHessian(3), matrix(1, 2, Float32Array.of(1, 2))),
  ).rejects.toMatchObject({ code: 'tensor_mismatch' });
});
