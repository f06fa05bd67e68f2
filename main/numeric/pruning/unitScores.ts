import { LatheError } from '../../../preload/contract/errors.ts';
import { type Floats, type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';

/**
 * The part of a weight [N, K] that units own: `rows` when a unit is `width` output rows (query
 * head, neuron of gate or up), `columns` when it is `width` input columns (output projection, down).
 */
export interface UnitSlice {
  readonly weight: Matrix;
  readonly along: 'rows' | 'columns';
  readonly width: number;
  /** ∂L/∂w of the same shape, for first-order scores. */
  readonly gradient?: Floats;
}

/**
 * Magnitude score of each unit: the product over its slices of their Frobenius norms, which for an
 * MLP neuron is |up row| · |gate row| · |down column|. A unit with one slice of zeros scores 0: it
 * does nothing.
 */
export function magnitudeScores(units: number, slices: readonly UnitSlice[]): Float64Array {
  const scores = new Float64Array(units).fill(1);
  for (const slice of slices) {
    const squares = sumOverUnits(units, slice, (value) => value * value);
    squares.forEach((square, unit) => (scores[unit] *= Math.sqrt(square)));
  }
  return scores;
}

/**
 * First-order (Taylor) score of each unit over all its slices: Σ |g·w| for heads
 * (`absolute`), |Σ g·w| for neurons. Every slice needs its gradient.
 */
export function taylorScores(
  units: number,
  slices: readonly UnitSlice[],
  sum: 'absolute' | 'signed',
): Float64Array {
  const scores = new Float64Array(units);
  for (const slice of slices) {
    const { gradient, weight } = slice;
    if (gradient?.length !== weight.data.length) {
      throw new LatheError(
        'tensor_mismatch',
        `a gradient of ${weight.data.length} values was expected: ${gradient?.length ?? 'none'}`,
      );
    }
    requireFinite(gradient, 'gradients');
    const terms = sumOverUnits(units, slice, (value, i) =>
      sum === 'absolute' ? Math.abs(value * gradient[i]) : value * gradient[i],
    );
    terms.forEach((term, unit) => (scores[unit] += term));
  }
  return scores.map(Math.abs);
}

/**
 * Scores of key-value groups from those of their query heads: with grouped-query attention a group
 * of `headsPerGroup` consecutive heads can only go as a whole.
 */
export function groupScores(headScores: Floats, headsPerGroup: number): Float64Array {
  const groups = headScores.length / headsPerGroup;
  if (!Number.isInteger(groups)) {
    throw new LatheError(
      'usage',
      `${headScores.length} heads cannot be cut into groups of: ${headsPerGroup}`,
    );
  }
  const scores = new Float64Array(groups);
  headScores.forEach((score: number, head: number) => {
    scores[Math.floor(head / headsPerGroup)] += score;
  });
  return scores;
}

/** Indices of the `count` units to keep, rising: those with the highest scores, first ones on ties. */
export function highestUnits(scores: Floats, count: number): number[] {
  requireFinite(scores, 'scores');
  if (!Number.isInteger(count) || count < 1 || count > scores.length) {
    throw new LatheError('usage', `from 1 to ${scores.length} units can be kept: ${count}`);
  }
  const order = Array.from(scores.keys()).toSorted((a, b) => scores[b] - scores[a] || a - b);
  return order.slice(0, count).toSorted((a, b) => a - b);
}

function sumOverUnits(
  units: number,
  { weight, along, width }: UnitSlice,
  term: (value: number, index: number) => number,
): Float64Array {
  const { rows, columns, data } = weight;
  requireFinite(data, 'weights');
  if ((along === 'rows' ? rows : columns) !== units * width) {
    throw new LatheError(
      'tensor_mismatch',
      `${units} units of ${width} ${along} do not fit a weight of: ${rows} × ${columns}`,
    );
  }
  const sums = new Float64Array(units);
  for (let i = 0; i < data.length; i++) {
    const place = along === 'rows' ? Math.floor(i / columns) : i % columns;
    sums[Math.floor(place / width)] += term(data[i], i);
  }
  return sums;
}
