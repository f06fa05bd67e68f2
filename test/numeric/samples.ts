import { matrix, type Matrix } from '../../main/numeric/linearAlgebra/matrix.ts';
import { createRandom, type Random } from '../../main/numeric/random.ts';

/** Standard normal numbers (Box and Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** A weight of independent normal values. */
export function randomMatrix(
  seed: number,
  rows: number,
  columns: number,
  scale = 1,
): Matrix<Float32Array> {
  const random = createRandom(seed);
  return matrix(
    rows,
    columns,
    Float32Array.from({ length: rows * columns }, () => scale * normal(random)),
  );
}

/** Inputs whose neighbouring channels are alike, a few of them much louder, as in a real layer. */
export function correlatedInputs(
  seed: number,
  tokens: number,
  channels: number,
): Matrix<Float32Array> {
  const random = createRandom(seed);
  const loudness = Array.from({ length: channels }, () => (random.next() < 0.1 ? 6 : 1));
  const inputs = matrix(tokens, channels, new Float32Array(tokens * channels));
  for (let token = 0; token < tokens; token++) {
    let wave = 0;
    for (let i = 0; i < channels; i++) {
      wave = 0.8 * wave + 0.6 * normal(random);
      inputs.data[token * channels + i] = loudness[i] * wave;
    }
  }
  return inputs;
}

/** A matrix from rows of plain numbers, in float64. */
export function fromRows(rows: readonly (readonly number[])[]): Matrix<Float64Array> {
  return matrix(rows.length, rows[0].length, Float64Array.from(rows.flat()));
}

/** Mean squared difference of two layers' outputs, `mean((inputs · (a - b)ᵀ)²)`. */
export function outputMeanSquare(a: Matrix, b: Matrix, inputs: Matrix): number {
  let sum = 0;
  for (let row = 0; row < a.rows; row++) {
    for (let token = 0; token < inputs.rows; token++) {
      let difference = 0;
      for (let i = 0; i < a.columns; i++) {
        const at = row * a.columns + i;
        difference += (a.data[at] - b.data[at]) * inputs.data[token * a.columns + i];
      }
      sum += difference ** 2;
    }
  }
  return sum / a.rows / inputs.rows;
}

/** Largest difference of two lists, relative to the largest expected magnitude; Infinity for NaN. */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(difference)) return Infinity;
    scale = Math.max(scale, Math.abs(expected[i]));
    worst = Math.max(worst, difference);
  }
  return worst === 0 ? 0 : worst / scale;
}
