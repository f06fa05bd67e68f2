import { LatheError } from '../../../preload/contract/errors.ts';
import { type Floats, type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';
import { clamp, roundHalfEven } from '../rounding.ts';
import { type GroupParameters, grids } from './grid.ts';
import {
  groupsPerRow,
  prepareQuantized,
  type Quantized,
  type Resolution,
  withoutTrivialZeroPoints,
} from './quantized.ts';

/** Options of the scale search. */
export interface SearchScaleOptions extends Resolution {
  readonly symmetric: boolean;
  /**
   * [K]: mean x² of each input channel ("imatrix"); each weight's error counts that much.
   * Without it w² stands in, which favours large weights.
   */
  readonly importance?: Floats;
}

/**
 * Data-light search in the manner of llama.cpp's k-quants and Olive: around the round-to-nearest
 * scale of each group, several others are tried; for the codes each gives, scale and offset are
 * refitted by weighted least squares; the candidate with the least weighted squared error, as it
 * will be stored (float32 scale, whole zero point), wins. Never worse than onnxruntime's grid in
 * that measure, which is the first candidate. [N, K], 20 candidates per group.
 */
export function searchScale(weight: Matrix, options: SearchScaleOptions): Quantized {
  const { bits, symmetric, importance } = options;
  const quantized = prepareQuantized(weight, options, 'integer');
  const { columns, groupSize, codes, scales, zeroPoints } = quantized;
  if (importance) {
    requireFinite(importance, 'the importance of input channels');
    if (importance.length !== columns) {
      throw new LatheError(
        'tensor_mismatch',
        `the importance of ${columns} input channels has: ${importance.length}`,
      );
    }
  }
  const perRow = groupsPerRow(quantized);
  const values = new Float64Array(groupSize);
  const weights = new Float64Array(groupSize);
  for (let index = 0; index < scales.length; index++) {
    const start = (index % perRow) * groupSize;
    const offset = Math.floor(index / perRow) * columns + start;
    const length = Math.min(groupSize, columns - start);
    for (let i = 0; i < length; i++) {
      values[i] = weight.data[offset + i];
      weights[i] = importance ? importance[start + i] : values[i] ** 2;
    }
    const group: Group = { values, weights, length, bits };
    const best = symmetric ? searchSymmetric(group) : searchAsymmetric(group);
    scales[index] = best.scale;
    zeroPoints.values[index] = best.zeroPoint;
    for (let i = 0; i < length; i++) codes[offset + i] = codeOf(values[i], best, bits);
  }
  return withoutTrivialZeroPoints(quantized);
}

interface Group {
  readonly values: Float64Array;
  readonly weights: Float64Array;
  readonly length: number;
  readonly bits: number;
}

/** Scales ± 9 steps of a tenth of a code around the round-to-nearest one; the zero point is fixed. */
function searchSymmetric(group: Group): GroupParameters {
  const { values, weights, length, bits } = group;
  const half = 2 ** (bits - 1);
  const choice = new Choice(group, grids['ort-symmetric'].parameters(values, 0, length, bits));
  const extreme = -choice.best.scale * half;
  if (extreme === 0) return choice.best;
  for (let step = -9; step <= 9; step++) {
    const inverse = -(half + step * 0.1) / extreme;
    let across = 0;
    let square = 0;
    for (let i = 0; i < length; i++) {
      const level = clamp(roundHalfEven(values[i] * inverse), -half, half - 1);
      across += weights[i] * values[i] * level;
      square += weights[i] * level * level;
    }
    if (square > 0) choice.offer(across / square, half);
  }
  return choice.best;
}

/** 20 ranges from one code shorter to one code longer than the data's. */
function searchAsymmetric(group: Group): GroupParameters {
  const { values, weights, length, bits } = group;
  const top = 2 ** bits - 1;
  const choice = new Choice(group, grids['ort-asymmetric'].parameters(values, 0, length, bits));
  let low = 0;
  let high = 0;
  let sum = 0;
  let sumOfValues = 0;
  for (let i = 0; i < length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
    sum += weights[i];
    sumOfValues += weights[i] * values[i];
  }
  if (high === low) return choice.best;
  for (let step = 0; step <= 20; step++) {
    const inverse = (top - 1 + step * 0.1) / (high - low);
    let levels = 0;
    let squares = 0;
    let across = 0;
    for (let i = 0; i < length; i++) {
      const level = clamp(roundHalfEven(inverse * (values[i] - low)), 0, top);
      levels += weights[i] * level;
      squares += weights[i] * level * level;
      across += weights[i] * level * values[i];
    }
    const determinant = sum * squares - levels * levels;
    if (!(determinant > 0)) continue;
    let scale = (sum * across - sumOfValues * levels) / determinant;
    let least = (squares * sumOfValues - levels * across) / determinant;
    if (least > 0) {
      // The range must hold 0, or 0 itself could not be stored.
      least = 0;
      scale = across / squares;
    }
    if (scale > 0) choice.offer(scale, clamp(roundHalfEven(-least / scale), 0, top));
  }
  return choice.best;
}

/** Keeps the parameters with the least weighted squared error. */
class Choice {
  best: GroupParameters;
  readonly #group: Group;
  #error: number;

  constructor(group: Group, first: GroupParameters) {
    this.#group = group;
    this.best = first;
    this.#error = this.#errorOf(first);
  }

  offer(scale: number, zeroPoint: number): void {
    const candidate = { scale: Math.fround(scale), zeroPoint };
    const error = this.#errorOf(candidate);
    if (error < this.#error) {
      this.best = candidate;
      this.#error = error;
    }
  }

  #errorOf(parameters: GroupParameters): number {
    const { values, weights, length, bits } = this.#group;
    let error = 0;
    for (let i = 0; i < length; i++) {
      const code = codeOf(values[i], parameters, bits);
      const difference = values[i] - (code - parameters.zeroPoint) * parameters.scale;
      error += weights[i] * difference * difference;
    }
    return error;
  }
}

function codeOf(value: number, parameters: GroupParameters, bits: number): number {
  return grids['ort-asymmetric'].code(value, parameters, bits);
}
