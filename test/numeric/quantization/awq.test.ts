import { describe, expect, test } from 'vitest';
import { matrix, type Matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import {
  applyClip,
  awqScales,
  meanMagnitudes,
  scaledRoundTrip,
  searchAwqScales,
  searchClip,
} from '../../../main/numeric/quantization/awq.ts';
import { dequantize } from '../../../main/numeric/quantization/quantized.ts';
import { quantizeRtn } from '../../../main/numeric/quantization/rtn.ts';
import golden from '../../golden/awq.json';
import gptq from '../../golden/gptq.json';
import {
  correlatedInputs,
  distance,
  fromRows,
  outputMeanSquare,
  randomMatrix,
} from '../samples.ts';

const options = { bits: 4, groupSize: 8, grid: 'awq' } as const;
const lossOn = (weight: Matrix, inputs: Matrix) => (changed: readonly Matrix[]) =>
  Promise.resolve(outputMeanSquare(weight, changed[0], inputs));

describe('the golden vectors', () => {
  const weight = fromRows(gptq.W);
  const inputs = fromRows(gptq.X);

  test('mean magnitudes, losses and the best ratio are theirs', async () => {
    const magnitudes = meanMagnitudes(inputs);
    expect(distance(magnitudes, golden.xmean)).toBeLessThanOrEqual(1e-10);
    const found = await searchAwqScales([weight], magnitudes, lossOn(weight, inputs), options);
    expect(distance(found.losses, golden.loss_by_ratio)).toBeLessThanOrEqual(1e-5);
    expect(found.ratio).toBe(golden.best_ratio);
    expect(found.scales).toEqual(awqScales(magnitudes, golden.best_ratio));
  });
});

test('ratio 0 is plain rounding, and the best is never worse', async () => {
  const weight = randomMatrix(1, 10, 64);
  const inputs = correlatedInputs(1, 90, 64);
  const magnitudes = meanMagnitudes(inputs);
  const nearest = dequantize(quantizeRtn(weight, options));
  const { losses } = await searchAwqScales([weight], magnitudes, lossOn(weight, inputs), options);
  expect(losses[0]).toBeCloseTo(outputMeanSquare(weight, nearest, inputs), 12);
  expect(Math.min(...losses)).toBeLessThan(losses[0]);
  expect(
    distance(scaledRoundTrip(weight, awqScales(magnitudes, 0), options).data, nearest.data),
  ).toBeLessThanOrEqual(1e-12);
});

test('scales lie around one and survive channels without input', () => {
  const scales = awqScales(Float32Array.of(0, 4, 1), 0.5);
  expect(Math.max(...scales) * Math.min(...scales)).toBeCloseTo(1, 12);
  expect(distance(awqScales(Float32Array.of(0, 0), 0.5), [1, 1])).toBeLessThanOrEqual(1e-12);
});

/** The weight with all but one group of 32 channels zeroed. */
const part = (source: Matrix, group: number): Matrix => ({
  ...source,
  data: Float32Array.from(source.data, (value, i) =>
    Math.floor((i % 64) / 32) === group ? value : 0,
  ),
});

test('clipping never changes the layer’s output more, group by group', async () => {
  const weight = randomMatrix(7, 12, 64);
  // A few large weights whose inputs are quiet are worth clipping.
  for (let i = 0; i < weight.data.length; i += 21) weight.data[i] *= 4;
  const inputs = correlatedInputs(7, 80, 64);
  const clip = { ...options, groupSize: 32 };
  const limits = await searchClip(weight, inputs, clip);
  const clipped = dequantize(quantizeRtn(applyClip(weight, limits, 32), clip));
  const nearest = dequantize(quantizeRtn(weight, clip));
  for (const group of [0, 1]) {
    const error = (values: Matrix) =>
      outputMeanSquare(part(weight, group), part(values, group), inputs);
    expect(error(clipped)).toBeLessThan(error(nearest));
  }
});

test('without inputs nothing is clipped', async () => {
  const weight = randomMatrix(3, 4, 32);
  const limits = await searchClip(weight, matrix(0, 32, new Float32Array(0)), options);
  expect(applyClip(weight, limits, 8)).toEqual(weight);
});

const none = () => Promise.resolve(0);

test('weights, inputs and magnitudes that do not fit or are not finite are refused', async () => {
  const weight = randomMatrix(3, 4, 32);
  await expect(searchClip(weight, randomMatrix(1, 2, 31), options)).rejects.toMatchObject({
    code: 'tensor_mismatch',
  });
  await expect(
    searchAwqScales([weight], new Float32Array(31), none, options),
  ).rejects.toMatchObject({ code: 'tensor_mismatch' });
  await expect(
    searchAwqScales([weight], new Float32Array(32).fill(NaN), none, options),
  ).rejects.toMatchObject({ code: 'values_not_finite' });
});

test.each([
  ['zeros', () => 0],
  ['one constant', () => 0.75],
  ['an outlier of 1e4', (i: number) => (i === 5 ? 1e4 : Math.sin(i))],
])('weights that are %s, also in groups that do not divide them, stay finite', async (_, value) => {
  const weight = matrix(
    2,
    20,
    Float32Array.from({ length: 40 }, (_value, i) => value(i)),
  );
  const inputs = correlatedInputs(1, 3, 20);
  for (let i = 0; i < inputs.data.length; i += 20) inputs.data[i + 3] = 0;
  for (const groupSize of [16, 64]) {
    const resolution = { ...options, groupSize };
    const loss = lossOn(weight, inputs);
    const { scales } = await searchAwqScales([weight], meanMagnitudes(inputs), loss, resolution);
    const clipped = applyClip(weight, await searchClip(weight, inputs, resolution), groupSize);
    const values = [...scales, ...scaledRoundTrip(clipped, scales, resolution).data];
    expect(values.every(Number.isFinite)).toBe(true);
  }
});
