import { describe, expect, test } from 'vitest';
import {
  addTokens,
  createHessian,
  factorHessian,
  hessianMatrix,
} from '../../../main/numeric/linearAlgebra/hessian.ts';
import { matrix, type Matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import { pruneMagnitude } from '../../../main/numeric/pruning/magnitude.ts';
import { type Pruned, type Sparsity, sparsityOf } from '../../../main/numeric/pruning/mask.ts';
import { pruneSparseGpt } from '../../../main/numeric/pruning/sparseGpt.ts';
import { meanSquaresOf, pruneWanda } from '../../../main/numeric/pruning/wanda.ts';
import { quantizeGptq } from '../../../main/numeric/quantization/gptq.ts';
import { dequantize } from '../../../main/numeric/quantization/quantized.ts';
import golden from '../../golden/prune.json';
import gptq from '../../golden/gptq.json';
import {
  correlatedInputs,
  distance,
  fromRows,
  outputMeanSquare,
  randomMatrix,
} from '../samples.ts';

const half: Sparsity = { kind: 'unstructured', share: 0.5 };
const twoOfFour: Sparsity = { kind: 'n:m', zeros: 2, of: 4 };
const fourOfEight: Sparsity = { kind: 'n:m', zeros: 4, of: 8 };

async function calibrate(inputs: Matrix) {
  const sums = createHessian(inputs.columns);
  await addTokens(sums, inputs);
  const hessian = hessianMatrix(sums);
  const factor = await factorHessian(hessian, inputs.columns);
  expect(factor).not.toBeNull();
  return { meanSquares: meanSquaresOf(hessian, inputs.columns), factor: factor! };
}

const zeros = (values: ArrayLike<number>) => Array.from(values, (value) => value === 0);

describe('the golden vectors', () => {
  const weight = fromRows(golden.W);
  const inputs = fromRows(gptq.X);

  test.each(['sparsegpt50', 'sparsegpt24', 'wanda50', 'wanda24', 'magnitude50'] as const)(
    'of %s: zeros exactly where they belong, the rest closely',
    async (name) => {
      const { meanSquares, factor } = await calibrate(inputs);
      const sparsity = name.endsWith('24') ? twoOfFour : half;
      const { weight: pruned } = name.startsWith('sparsegpt')
        ? await pruneSparseGpt(weight, factor, { sparsity })
        : name.startsWith('wanda')
          ? pruneWanda(weight, meanSquares, sparsity)
          : pruneMagnitude(weight, sparsity);
      const expected = golden[name];
      expect(zeros(pruned.data)).toEqual(zeros(expected.W.flat()));
      expect(distance(pruned.data, expected.W.flat())).toBeLessThanOrEqual(1e-6);
      expect(sparsityOf(pruned)).toBeCloseTo(expected.sparsity, 12);
      expect(outputMeanSquare(weight, pruned, inputs) / expected.mse).toBeCloseTo(1, 5);
    },
  );
});

describe('on random layers', () => {
  test.each([
    ['unstructured', half],
    ['2:4', twoOfFour],
    ['4:8', fourOfEight],
  ])('SparseGPT loses less than Wanda and magnitude, %s', async (_, sparsity) => {
    for (let seed = 0; seed < 12; seed++) {
      const weight = randomMatrix(seed, 12, 64);
      const inputs = correlatedInputs(seed, 200, 64);
      const { meanSquares, factor } = await calibrate(inputs);
      const error = (pruned: Pruned) => outputMeanSquare(weight, pruned.weight, inputs);
      const sparse = await pruneSparseGpt(weight, factor, { sparsity });
      const others = [
        error(pruneWanda(weight, meanSquares, sparsity)),
        error(pruneMagnitude(weight, sparsity)),
      ];
      expect(error(sparse)).toBeLessThan(Math.min(...others));
    }
  });

  test('patterns are kept in every group, by all three', async () => {
    const weight = randomMatrix(3, 6, 48);
    const { meanSquares, factor } = await calibrate(correlatedInputs(3, 90, 48));
    for (const sparsity of [twoOfFour, fourOfEight] as const) {
      const group = sparsity as { of: number; zeros: number };
      for (const { weight: pruned } of [
        pruneMagnitude(weight, sparsity),
        pruneWanda(weight, meanSquares, sparsity),
        await pruneSparseGpt(weight, factor, { sparsity, blockSize: 10 }),
      ]) {
        for (let at = 0; at < pruned.data.length; at += group.of) {
          expect(zeros(pruned.data.slice(at, at + group.of)).filter(Boolean).length).toBe(
            group.zeros,
          );
        }
      }
    }
  });

  test('survivors of magnitude and Wanda stay as they are', async () => {
    const weight = randomMatrix(3, 6, 48);
    const { meanSquares } = await calibrate(correlatedInputs(3, 90, 48));
    for (const { weight: pruned, kept } of [
      pruneMagnitude(weight, half),
      pruneMagnitude(weight, half, 'row'),
      pruneWanda(weight, meanSquares, half),
    ]) {
      expect([...pruned.data]).toEqual([...weight.data].map((value, i) => (kept[i] ? value : 0)));
    }
  });

  test('Wanda and magnitude by row zero the same count in every row', async () => {
    const weight = randomMatrix(4, 6, 30);
    const { meanSquares } = await calibrate(correlatedInputs(3, 90, 30));
    for (const pruned of [
      pruneMagnitude(weight, { kind: 'unstructured', share: 0.35 }, 'row'),
      pruneWanda(weight, meanSquares, { kind: 'unstructured', share: 0.35 }),
    ]) {
      for (let row = 0; row < 6; row++) {
        const kept = pruned.kept.slice(row * 30, (row + 1) * 30);
        expect(kept.filter((value) => value === 0).length).toBe(10);
      }
    }
  });

  test('Wanda with inputs equally loud is magnitude by row', () => {
    const weight = randomMatrix(4, 6, 30);
    expect(pruneWanda(weight, new Float64Array(30).fill(2), half)).toEqual(
      pruneMagnitude(weight, half, 'row'),
    );
  });
});

describe('SparseGPT', () => {
  test('without sparsity and with quantization is GPTQ', async () => {
    const weight = randomMatrix(4, 6, 64);
    const { factor } = await calibrate(correlatedInputs(3, 190, 64));
    const options = { bits: 4, groupSize: 16, grid: 'gptq-asymmetric' } as const;
    const joint = await pruneSparseGpt(weight, factor, {
      sparsity: { kind: 'unstructured', share: 0 },
      quantize: options,
    });
    const { quantized, loss } = await quantizeGptq(weight, factor, options);
    expect(joint.quantized!.codes).toEqual(quantized.codes);
    expect(joint.error / 2 / loss!).toBeCloseTo(1, 9);
  });

  test('quantizing in the same loop loses less than pruning first and rounding after', async () => {
    const { factor } = await calibrate(correlatedInputs(3, 190, 64));
    const inputs = correlatedInputs(3, 190, 64);
    const weight = randomMatrix(4, 16, 64);
    const options = { bits: 3, groupSize: 32, grid: 'gptq-asymmetric' } as const;
    const joint = await pruneSparseGpt(weight, factor, { sparsity: half, quantize: options });
    const first = await pruneSparseGpt(weight, factor, { sparsity: half });
    const identity = Float64Array.from({ length: 64 * 64 }, (_, i) => (i % 65 === 0 ? 2 : 0));
    const plain = (await factorHessian(identity, 64))!;
    const after = await pruneSparseGpt(first.weight, plain, {
      sparsity: { kind: 'unstructured', share: 0 },
      quantize: options,
    });
    const error = (pruned: Pruned) => outputMeanSquare(weight, pruned.weight, inputs);
    expect(error(joint)).toBeLessThan(error(after));
    expect(dequantize(joint.quantized!)).toEqual(joint.weight);
    expect(joint.kept.every((kept, i) => kept === 1 || joint.weight.data[i] === 0)).toBe(true);
  });

  test('independent inputs, equally loud, leave pruning by magnitude inside each block', async () => {
    const weight = randomMatrix(4, 6, 64);
    const identity = Float64Array.from({ length: 64 * 64 }, (_, i) => (i % 65 === 0 ? 2 : 0));
    const factor = (await factorHessian(identity, 64))!;
    const { weight: pruned } = await pruneSparseGpt(weight, factor, { sparsity: half });
    expect(pruned).toEqual(pruneMagnitude(weight, half).weight);
  });

  test('the Hessian must be of this layer and in natural order', async () => {
    const { factor } = await calibrate(correlatedInputs(3, 90, 48));
    await expect(
      pruneSparseGpt(randomMatrix(1, 2, 40), factor, { sparsity: half }),
    ).rejects.toMatchObject({ code: 'tensor_mismatch' });
    const order = factor.order.toReversed();
    await expect(
      pruneSparseGpt(randomMatrix(1, 2, 48), { ...factor, order }, { sparsity: half }),
    ).rejects.toMatchObject({ code: 'tensor_mismatch' });
  });
});

describe.each([
  ['zeros', () => 0],
  ['one constant', () => 0.5],
  ['an outlier of 1e4', (i: number) => (i === 5 ? 1e4 : Math.sin(i))],
])('weights that are %s', (_, value) => {
  test('lose no more than asked and stay finite', async () => {
    const data = Float32Array.from({ length: 80 }, (_entry, i) => value(i));
    const weight = matrix(4, 20, data);
    const before = sparsityOf(weight);
    const { meanSquares, factor } = await calibrate(correlatedInputs(1, 9, 20));
    for (const { weight: pruned, kept } of [
      pruneMagnitude(weight, half),
      pruneMagnitude(weight, half, 'row'),
      pruneMagnitude(weight, twoOfFour),
      pruneWanda(weight, meanSquares, half),
      await pruneSparseGpt(weight, factor, { sparsity: half }),
      await pruneSparseGpt(weight, factor, { sparsity: twoOfFour }),
    ]) {
      expect(pruned.data.every(Number.isFinite)).toBe(true);
      expect(kept.filter((one) => one === 0).length).toBeLessThanOrEqual(41);
      expect(sparsityOf(pruned)).toBeLessThanOrEqual(Math.max(before, 0) + 41 / 80);
    }
  });
});

describe('the share', () => {
  test('of 0 changes nothing, of 1 leaves nothing', async () => {
    const weight = randomMatrix(1, 4, 20);
    const { meanSquares, factor } = await calibrate(correlatedInputs(1, 40, 20));
    const prune = async (share: number) => {
      const sparsity = { kind: 'unstructured', share } as const;
      return [
        pruneMagnitude(weight, sparsity),
        pruneMagnitude(weight, sparsity, 'row'),
        pruneWanda(weight, meanSquares, sparsity),
        await pruneSparseGpt(weight, factor, { sparsity }),
      ].map(({ weight: pruned }) => sparsityOf(pruned));
    };
    expect(await prune(0)).toEqual([0, 0, 0, 0]);
    expect(await prune(1)).toEqual([1, 1, 1, 1]);
  });

  test.each<Sparsity>([
    { kind: 'unstructured', share: 1.5 },
    { kind: 'unstructured', share: NaN },
    { kind: 'n:m', zeros: 5, of: 4 },
    { kind: 'n:m', zeros: 2, of: 7 },
  ])('%o is refused by all three', async (sparsity) => {
    const weight = randomMatrix(1, 4, 20);
    const { meanSquares, factor } = await calibrate(correlatedInputs(1, 40, 20));
    const usage = expect.objectContaining({ code: 'usage' });
    expect(() => pruneMagnitude(weight, sparsity)).toThrow(usage);
    expect(() => pruneWanda(weight, meanSquares, sparsity)).toThrow(usage);
    await expect(pruneSparseGpt(weight, factor, { sparsity })).rejects.toEqual(usage);
  });
});

test('weights that are not finite are refused by all three', async () => {
  const weight = matrix(1, 20, new Float32Array(20).fill(NaN, 3, 4));
  const { meanSquares, factor } = await calibrate(correlatedInputs(1, 40, 20));
  const notFinite = expect.objectContaining({ code: 'values_not_finite' });
  expect(() => pruneMagnitude(weight, half)).toThrow(notFinite);
  expect(() => pruneWanda(weight, meanSquares, half)).toThrow(notFinite);
  await expect(pruneSparseGpt(weight, factor, { sparsity: half })).rejects.toEqual(notFinite);
});
