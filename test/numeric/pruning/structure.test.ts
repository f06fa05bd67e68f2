import { describe, expect, test } from 'vitest';
import { matrix, type Matrix } from '../../../main/numeric/linearAlgebra/matrix.ts';
import { addBlockInfluence, blockInfluence } from '../../../main/numeric/pruning/blockInfluence.ts';
import { lowRank } from '../../../main/numeric/pruning/lowRank.ts';
import {
  groupScores,
  highestUnits,
  magnitudeScores,
  taylorScores,
} from '../../../main/numeric/pruning/unitScores.ts';
import influence from '../../golden/blockInfluence.json';
import golden from '../../golden/lowRank.json';
import gptq from '../../golden/gptq.json';
import { correlatedInputs, fromRows, outputMeanSquare, randomMatrix } from '../samples.ts';

function momentsOf({ rows, columns, data }: Matrix): Float64Array {
  const moments = new Float64Array(columns * columns);
  for (let token = 0; token < rows; token++) {
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++) {
        moments[i * columns + j] += (data[token * columns + i] * data[token * columns + j]) / rows;
      }
    }
  }
  return moments;
}

function product(left: Matrix, right: Matrix): Matrix {
  const data = new Float64Array(left.rows * right.columns);
  for (let i = 0; i < left.rows; i++) {
    for (let j = 0; j < right.columns; j++) {
      for (let k = 0; k < left.columns; k++) {
        data[i * right.columns + j] +=
          left.data[i * left.columns + k] * right.data[k * right.columns + j];
      }
    }
  }
  return matrix(left.rows, right.columns, data);
}

/** Rows `from` up to `to`. */
function rowsOf({ columns, data }: Matrix, from: number, to: number): Matrix {
  return matrix(to - from, columns, data.slice(from * columns, to * columns));
}

describe('block influence', () => {
  const before = fromRows(influence.x);
  const after = fromRows(influence.y);

  const influenceOf = (factor: number) => {
    const sum = { cosines: 0, tokens: 0 };
    const turned = Float64Array.from(before.data, (value) => factor * value);
    addBlockInfluence(sum, before, matrix(before.rows, before.columns, turned));
    return blockInfluence(sum);
  };

  test('of the golden vectors, batch by batch', () => {
    const whole = { cosines: 0, tokens: 0 };
    addBlockInfluence(whole, before, after);
    expect(blockInfluence(whole)).toBeCloseTo(influence.bi, 10);
    const parts = { cosines: 0, tokens: 0 };
    addBlockInfluence(parts, rowsOf(before, 0, 1), rowsOf(after, 0, 1));
    addBlockInfluence(parts, rowsOf(before, 1, 4), rowsOf(after, 1, 4));
    expect(blockInfluence(parts)).toBeCloseTo(influence.bi, 10);
  });

  test('is 0 for a layer that only scales its stream, 2 for one that turns it round', () => {
    expect(influenceOf(3)).toBeCloseTo(0, 12);
    expect(influenceOf(-1)).toBeCloseTo(2, 12);
    expect(influenceOf(0)).toBe(1);
  });

  test('streams of different shape, and none at all, are refused', () => {
    const sum = { cosines: 0, tokens: 0 };
    expect(() => addBlockInfluence(sum, before, randomMatrix(1, 2, 2))).toThrow('2 × 2');
    expect(() => blockInfluence(sum)).toThrow('seen so far: 0');
  });
});

describe('scores of heads and neurons', () => {
  const up = matrix(3, 2, Float32Array.of(3, 4, 0, 0, 1, 0));
  const down = matrix(1, 3, Float32Array.of(2, 7, -5));

  test('multiply the norms of a neuron’s row and column', () => {
    const scores = magnitudeScores(3, [
      { weight: up, along: 'rows', width: 1 },
      { weight: down, along: 'columns', width: 1 },
    ]);
    expect([...scores]).toEqual([10, 0, 5]);
  });

  test('sum |g·w| over a head’s slices, or take |Σ g·w|', () => {
    const weight = matrix(4, 1, Float32Array.of(1, 2, 3, 4));
    const gradient = Float32Array.of(1, -1, 1, 1);
    const slices = [{ weight, gradient, along: 'rows', width: 2 }] as const;
    expect([...taylorScores(2, slices, 'absolute')]).toEqual([3, 7]);
    expect([...taylorScores(2, slices, 'signed')]).toEqual([1, 7]);
  });

  test('of a key-value group are those of its heads', () => {
    expect([...groupScores(Float32Array.of(1, 2, 3, 4), 2)]).toEqual([3, 7]);
    expect(() => groupScores(new Float32Array(4), 3)).toThrow('into groups of: 3');
  });

  test('choose the highest, the first of equals, in rising order', () => {
    expect(highestUnits(Float64Array.of(1, 5, 5, 0, 5), 2)).toEqual([1, 2]);
    expect(highestUnits(Float64Array.of(1, 5, 0), 2)).toEqual([0, 1]);
    expect(() => highestUnits(Float64Array.of(1, 5), 0)).toThrow(': 0');
    expect(() => highestUnits(Float64Array.of(1, NaN), 1)).toThrow('finite');
  });

  test('need slices that fit, and gradients of their shape', () => {
    expect(() => magnitudeScores(2, [{ weight: up, along: 'rows', width: 2 }])).toThrow('3 × 2');
    expect(() => taylorScores(3, [{ weight: up, along: 'rows', width: 1 }], 'signed')).toThrow(
      'none',
    );
  });
});

describe('low rank', () => {
  const weight = fromRows(gptq.W);
  const inputs = fromRows(gptq.X);

  test('of the golden vectors: the error with and without whitening', async () => {
    const whitened = await lowRank(weight, {
      rank: golden.rank,
      moments: momentsOf(inputs),
      damp: 0,
    });
    const plain = await lowRank(weight, { rank: golden.rank });
    const error = ({ left, right }: { left: Matrix; right: Matrix }) =>
      outputMeanSquare(weight, product(left, right), inputs);
    expect(error(whitened) / golden.whitened_mse).toBeCloseTo(1, 5);
    expect(error(plain) / golden.plain_mse).toBeCloseTo(1, 5);
    // The tail of the singular values is the error exactly.
    expect(whitened.error / weight.rows / golden.whitened_mse).toBeCloseTo(1, 8);
  });

  test('at full rank is the weight itself', async () => {
    for (const shape of [
      [5, 12],
      [12, 5],
    ]) {
      const source = randomMatrix(1, shape[0], shape[1]);
      const moments = momentsOf(correlatedInputs(1, 60, shape[1]));
      const { left, right, error } = await lowRank(source, { rank: 5, moments });
      expect(error).toBe(0);
      expect(
        outputMeanSquare(source, product(left, right), correlatedInputs(2, 9, shape[1])),
      ).toBeLessThan(1e-9);
    }
  });

  test('of zeros, of inputs of zeros, and of fewer tokens than channels, is finite', async () => {
    const zeros = matrix(4, 6, new Float32Array(24));
    for (const [source, tokens] of [
      [zeros, correlatedInputs(1, 20, 6)],
      [randomMatrix(1, 4, 6), matrix(3, 6, new Float32Array(18))],
      [randomMatrix(1, 4, 6), correlatedInputs(1, 2, 6)],
    ]) {
      const { left, right } = await lowRank(source, { rank: 2, moments: momentsOf(tokens) });
      expect([...left.data, ...right.data].every(Number.isFinite)).toBe(true);
    }
  });

  test('ranks and moments that do not fit are refused', async () => {
    await expect(lowRank(weight, { rank: 0 })).rejects.toThrow('the rank must be from 1 to 6: 0');
    await expect(lowRank(weight, { rank: 7 })).rejects.toThrow(': 7');
    await expect(lowRank(weight, { rank: 1, moments: new Float64Array(9) })).rejects.toMatchObject({
      code: 'tensor_mismatch',
    });
    const negative = new Float64Array(32 * 32).fill(1);
    await expect(lowRank(weight, { rank: 1, moments: negative, damp: 0 })).rejects.toThrow(
      'not positive definite',
    );
  });
});
