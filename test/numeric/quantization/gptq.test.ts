import { describe, expect, test } from 'vitest';
import { inverseOfPositiveDefinite } from '../../../main/numeric/linearAlgebra/cholesky.ts';
import {
  addTokens,
  createHessian,
  factorHessian,
  hessianMatrix,
  type FactorOptions,
  type HessianFactor,
} from '../../../main/numeric/linearAlgebra/hessian.ts';
import { matrix, type Matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import { outputError } from '../../../main/numeric/quantization/errors.ts';
import { type GptqOptions, quantizeGptq } from '../../../main/numeric/quantization/gptq.ts';
import { type GridName, grids } from '../../../main/numeric/quantization/grid.ts';
import { dequantize, zeroPointOf } from '../../../main/numeric/quantization/quantized.ts';
import { quantizeRtn } from '../../../main/numeric/quantization/rtn.ts';
import { searchScale } from '../../../main/numeric/quantization/searchScale.ts';
import golden from '../../golden/gptq.json';
import {
  correlatedInputs,
  distance,
  fromRows,
  outputMeanSquare,
  randomMatrix,
} from '../samples.ts';

const grid = 'gptq-asymmetric';

async function hessianOf(inputs: Matrix): Promise<Float64Array> {
  const hessian = createHessian(inputs.columns);
  await addTokens(hessian, inputs);
  return hessianMatrix(hessian);
}

async function factorOf(inputs: Matrix, options: FactorOptions = {}): Promise<HessianFactor> {
  const factor = await factorHessian(await hessianOf(inputs), inputs.columns, options);
  expect(factor).not.toBeNull();
  return factor!;
}

/** 2 on the diagonal: inputs that are independent and equally loud. */
function isotropic(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 2 : 0));
}

describe('the golden vectors', () => {
  const weight = fromRows(golden.W);
  const inputs = fromRows(golden.X);
  const cases: [keyof typeof golden, Partial<GptqOptions>, FactorOptions][] = [
    ['row4', {}, {}],
    ['row3', { bits: 3 }, {}],
    ['g8', { groupSize: 8 }, {}],
    ['g8act', { groupSize: 8 }, { activationOrder: true }],
    ['g8dyn', { groupSize: 8, groups: 'dynamic', blockSize: 8 }, {}],
    ['row4act', {}, { activationOrder: true }],
  ];

  test.each(cases)(
    'of %s: codes and zero points exactly, the rest closely',
    async (name, options, order) => {
      const expected = golden[name] as (typeof golden)['row4'];
      const factor = await factorOf(inputs, order);
      const result = await quantizeGptq(weight, factor, {
        bits: 4,
        groupSize: Infinity,
        grid,
        ...options,
      });
      expect(result.kept).toBe('gptq');
      const { quantized } = result;
      expect([...quantized.codes]).toEqual(expected.codes.flat());
      expect(Array.from(quantized.scales, (_, i) => zeroPointOf(quantized, i))).toEqual(
        expected.zp.flat(),
      );
      expect(distance(quantized.scales, expected.scale.flat())).toBeLessThanOrEqual(1e-6);
      expect(distance(dequantize(quantized).data, expected.dequant.flat())).toBeLessThanOrEqual(
        1e-6,
      );
      expect(result.loss! / expected.loss).toBeCloseTo(1, 5);
      expect(outputMeanSquare(weight, dequantize(quantized), inputs) / expected.mse).toBeCloseTo(
        1,
        5,
      );
    },
  );

  test('of round-to-nearest on the same grid: its output error', () => {
    const nearest = dequantize(quantizeRtn(weight, { bits: 4, groupSize: Infinity, grid }));
    expect(outputMeanSquare(weight, nearest, inputs) / golden.rtn4_mse).toBeCloseTo(1, 5);
  });
});

test('equals brain surgery in fixed order, which updates the inverse explicitly', async () => {
  const inputs = correlatedInputs(5, 100, 24);
  const weight = randomMatrix(6, 4, 24);
  const factor = await factorOf(inputs);
  const hessian = await hessianOf(inputs);
  for (let i = 0; i < 24; i++) hessian[i * 25] += factor.damping;
  const inverse = (await inverseOfPositiveDefinite(hessian, 24))!;
  const start = quantizeRtn(weight, { bits: 4, groupSize: Infinity, grid });
  const work = Float64Array.from(weight.data);
  const codes: number[] = Array.from({ length: 96 });
  for (let i = 0; i < 24; i++) {
    for (let row = 0; row < 4; row++) {
      const parameters = { scale: start.scales[row], zeroPoint: zeroPointOf(start, row) };
      const code = grids[grid].code(work[row * 24 + i], parameters, 4);
      codes[row * 24 + i] = code;
      const error =
        (work[row * 24 + i] - (code - parameters.zeroPoint) * parameters.scale) / inverse[i * 25];
      for (let j = 0; j < 24; j++) work[row * 24 + j] -= error * inverse[i * 24 + j];
    }
    const column = Float64Array.from({ length: 24 }, (_, j) => inverse[j * 24 + i]);
    const row = inverse.slice(i * 24, (i + 1) * 24);
    for (let j = 0; j < 24; j++) {
      for (let k = 0; k < 24; k++) inverse[j * 24 + k] -= (column[j] * row[k]) / row[i];
    }
    inverse[i * 25] = 1;
  }
  const { quantized } = await quantizeGptq(weight, factor, { bits: 4, groupSize: Infinity, grid });
  expect([...quantized.codes]).toEqual(codes);
});

test.each<GridName>([
  'gptq-asymmetric',
  'gptq-symmetric',
  'ort-symmetric',
  'ort-asymmetric',
  'awq',
])('inputs that are independent and equally loud leave round-to-nearest (%s)', async (name) => {
  const weight = randomMatrix(2, 10, 64);
  const options = { bits: 4, groupSize: 16, grid: name };
  const factor = await factorHessian(isotropic(64), 64);
  const result = await quantizeGptq(weight, factor, options);
  expect(result.quantized).toEqual(quantizeRtn(weight, options));
  expect(result.error!.gptq).toBeCloseTo(result.error!.rtn, 8);
});

test('damping without limit leaves round-to-nearest', async () => {
  const weight = randomMatrix(3, 10, 32);
  const options = { bits: 4, groupSize: 32, grid } as const;
  const factor = await factorOf(correlatedInputs(3, 90, 32), { damp: 1e9 });
  expect((await quantizeGptq(weight, factor, options)).quantized).toEqual(
    quantizeRtn(weight, options),
  );
});

describe.each([true, false])('on random layers with activation order %s', (activationOrder) => {
  test('the error is below round-to-nearest’s in at least 95 %, and never above after the choice', async () => {
    let better = 0;
    for (let seed = 0; seed < 40; seed++) {
      const inputs = correlatedInputs(seed, 160, 64);
      const weight = randomMatrix(1000 + seed, 12, 64);
      const factor = await factorOf(inputs, { activationOrder });
      const options = { bits: seed % 2 ? 4 : 3, groupSize: 32, grid } as const;
      const { quantized, error } = await quantizeGptq(weight, factor, options);
      if (error!.gptq < error!.rtn) better++;
      const kept = outputMeanSquare(weight, dequantize(quantized), inputs);
      const nearest = outputMeanSquare(weight, dequantize(quantizeRtn(weight, options)), inputs);
      expect(kept).toBeLessThanOrEqual(nearest * (1 + 1e-9));
    }
    expect(better).toBeGreaterThanOrEqual(38);
  });
});

test('where it loses to round-to-nearest, that is kept and said', async () => {
  const weight = randomMatrix(14, 1, 16);
  const options = { bits: 2, groupSize: 16, grid: 'ort-symmetric' } as const;
  const factor = await factorOf(correlatedInputs(14, 60, 16));
  const { quantized, kept, reason, error } = await quantizeGptq(weight, factor, options);
  expect(error!.rtn).toBeLessThan(error!.gptq);
  expect([kept, reason]).toEqual(['rtn', 'rtn is better']);
  expect(quantized).toEqual(quantizeRtn(weight, options));
});

test('the errors it reports are those under H itself', async () => {
  const inputs = correlatedInputs(8, 200, 48);
  const weight = randomMatrix(9, 20, 48);
  const options = { bits: 3, groupSize: 16, grid } as const;
  const { quantized, error } = await quantizeGptq(
    weight,
    await factorOf(inputs, { activationOrder: true }),
    options,
  );
  const hessian = await hessianOf(inputs);
  const gptq = await outputError(weight, dequantize(quantized), hessian);
  const rtn = await outputError(weight, dequantize(quantizeRtn(weight, options)), hessian);
  expect(error!.gptq / gptq).toBeCloseTo(1, 6);
  expect(error!.rtn / rtn).toBeCloseTo(1, 6);
  expect(gptq / 40).toBeCloseTo(outputMeanSquare(weight, dequantize(quantized), inputs), 6);
});

test.each<Partial<GptqOptions>>([
  { groupSize: Infinity },
  { groupSize: 16 },
  { groupSize: 24, groups: 'dynamic' },
])('the block size of lazy updates does not change the result (%o)', async (part) => {
  const weight = randomMatrix(4, 9, 96);
  const factor = await factorOf(correlatedInputs(4, 300, 96));
  const codes = async (blockSize: number) =>
    (await quantizeGptq(weight, factor, { bits: 4, groupSize: 16, grid, ...part, blockSize }))
      .quantized;
  const reference = await codes(96);
  for (const blockSize of [1, 5, 16, 64, 500]) expect(await codes(blockSize)).toEqual(reference);
});

test('more rows than are worked on at a time come out as if alone', async () => {
  const factor = await factorOf(correlatedInputs(4, 60, 16));
  const weight = randomMatrix(4, 1030, 16);
  const options = { bits: 4, groupSize: 8, grid } as const;
  const shares: number[] = [];
  const onProgress = (share: number) => shares.push(share);
  const whole = await quantizeGptq(weight, factor, { ...options, onProgress });
  const last = matrix(6, 16, weight.data.slice(1024 * 16));
  const alone = await quantizeGptq(last, factor, options);
  expect(whole.quantized.codes.slice(1024 * 16)).toEqual(alone.quantized.codes);
  expect(shares).toEqual([1024 / 1030, 1]);
});

test('parameters found by a search are kept as they are', async () => {
  const weight = randomMatrix(4, 6, 32);
  const factor = await factorOf(correlatedInputs(4, 100, 32), { activationOrder: true });
  const parameters = searchScale(weight, { bits: 4, groupSize: 16, symmetric: false });
  const options = { bits: 4, groupSize: 16, grid: 'ort-asymmetric', parameters } as const;
  const { quantized } = await quantizeGptq(weight, factor, options);
  expect({ ...quantized, codes: null }).toEqual({ ...parameters, codes: null });
});

test('smaller groups mean less error in at least 95 % of layers', async () => {
  let smaller = 0;
  for (let seed = 0; seed < 40; seed++) {
    const factor = await factorOf(correlatedInputs(seed, 260, 128), { activationOrder: true });
    const weight = randomMatrix(seed, 8, 128);
    const error = async (groupSize: number) =>
      (await quantizeGptq(weight, factor, { bits: 4, groupSize, grid })).error!.gptq;
    if ((await error(32)) < (await error(128))) smaller++;
  }
  expect(smaller).toBeGreaterThanOrEqual(38);
});

test('when H cannot be factored, round-to-nearest is kept and the reason told', async () => {
  const weight = randomMatrix(1, 4, 16);
  const options = { bits: 4, groupSize: 8, grid } as const;
  expect(await quantizeGptq(weight, null, options)).toEqual({
    quantized: quantizeRtn(weight, options),
    kept: 'rtn',
    reason: 'Hessian not positive definite',
    loss: null,
    error: null,
  });
});

describe('degenerate input', () => {
  const options = { bits: 4, groupSize: 16, grid } as const;

  test('dead channels get weight zero and cost nothing', async () => {
    const inputs = correlatedInputs(2, 50, 20);
    for (let i = 0; i < inputs.data.length; i += 20) inputs.data[i + 3] = 0;
    const weight = randomMatrix(2, 4, 20);
    weight.data[3] = 1e4;
    const { quantized, kept } = await quantizeGptq(weight, await factorOf(inputs), options);
    expect(kept).toBe('gptq');
    expect([0, 1, 2, 3].map((row) => dequantize(quantized).data[row * 20 + 3])).toEqual([
      0, 0, 0, 0,
    ]);
  });

  test.each([
    ['zero rows', () => 0],
    ['constant rows', (i: number) => Math.floor(i / 20)],
    ['an outlier of 1e4', (i: number) => (i === 30 ? 1e4 : Math.sin(i))],
  ])('%s end in finite values', async (_name, value) => {
    const weight = matrix(
      4,
      20,
      Float32Array.from({ length: 80 }, (_, i) => value(i)),
    );
    const factor = await factorOf(correlatedInputs(2, 50, 20));
    const { quantized, error } = await quantizeGptq(weight, factor, options);
    expect(dequantize(quantized).data.every(Number.isFinite)).toBe(true);
    expect(Number.isFinite(error!.gptq)).toBe(true);
  });

  test('inputs of nothing but zeros, and fewer tokens than channels, end in finite values', async () => {
    const weight = randomMatrix(2, 4, 20);
    for (const inputs of [matrix(5, 20, new Float32Array(100)), correlatedInputs(1, 3, 20)]) {
      const { quantized, error } = await quantizeGptq(weight, await factorOf(inputs), options);
      expect(dequantize(quantized).data.every(Number.isFinite)).toBe(true);
      expect(error!.gptq).toBeGreaterThanOrEqual(0);
    }
  });

  test('weights that are not finite, and a Hessian of another layer, are refused', async () => {
    const factor = await factorOf(correlatedInputs(2, 50, 20));
    const broken = matrix(1, 20, new Float32Array(20).fill(NaN, 7, 8));
    await expect(quantizeGptq(broken, factor, options)).rejects.toMatchObject({
      code: 'values_not_finite',
    });
    await expect(quantizeGptq(randomMatrix(1, 2, 21), factor, options)).rejects.toMatchObject({
      code: 'tensor_mismatch',
    });
  });

  test('activation order with dynamic groups, which would need g_idx, is refused', async () => {
    const factor = await factorOf(correlatedInputs(2, 50, 20), { activationOrder: true });
    const dynamic = { ...options, groups: 'dynamic' } as const;
    await expect(quantizeGptq(randomMatrix(1, 2, 20), factor, dynamic)).rejects.toThrow(
      'dynamic groups cannot be used with: activation order',
    );
  });

  test('a cancelled run ends with the error for that', async () => {
    const factor = await factorOf(correlatedInputs(2, 50, 20));
    const cancelled = { ...options, signal: AbortSignal.abort() };
    await expect(quantizeGptq(randomMatrix(1, 2, 20), factor, cancelled)).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});
