import { LatheError } from '../../../preload/contract/errors.ts';
import { type Floats, type Matrix, requireFinite } from '../linearAlgebra/matrix.ts';
import { nextTurn } from '../linearAlgebra/multiply.ts';
import { type GridName, grids } from './grid.ts';
import { checkResolution, dequantize, type Resolution } from './quantized.ts';
import { quantizeRtn } from './rtn.ts';

/** Options of the AWQ search. */
export interface AwqOptions extends Resolution {
  /** `awq` is the reference's grid; `ort-asymmetric` always holds 0. */
  readonly grid: GridName;
  /** Candidates r = 0, 1/steps, … (steps-1)/steps. Default 20. */
  readonly steps?: number;
  readonly signal?: AbortSignal;
}

/** The best exponent and its factors [K], with the loss of every candidate. */
export interface AwqScales {
  readonly ratio: number;
  readonly scales: Float64Array;
  readonly losses: readonly number[];
}

/** mean |x| of each input channel over the rows of `inputs` [T, K]. */
export function meanMagnitudes({ rows, columns, data }: Matrix): Float64Array {
  requireFinite(data, 'calibration activations');
  const result = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) result[i % columns] += Math.abs(data[i]);
  return result.map((sum) => (rows === 0 ? 0 : sum / rows));
}

/**
 * Factors of exponent `ratio` (arXiv 2306.00978): s = max(mean|x|^r, 1e-4), brought around 1 by
 * its largest and smallest. r = 0 gives 1 for every channel.
 */
export function awqScales(magnitudes: Floats, ratio: number): Float64Array {
  const scales = Float64Array.from(magnitudes, (value) => Math.max(value ** ratio, 1e-4));
  const centre = Math.sqrt(
    scales.reduce((a, b) => Math.max(a, b)) * scales.reduce((a, b) => Math.min(a, b)),
  );
  return scales.map((scale) => scale / centre);
}

/** Q(W · diag s) · diag(1/s), [N, K]: the weight as the layer will apply it to unscaled inputs. */
export function scaledRoundTrip(
  weight: Matrix,
  scales: Floats,
  options: AwqOptions,
): Matrix<Float64Array> {
  const { rows, columns } = weight;
  const scaled = new Float64Array(rows * columns);
  for (let i = 0; i < scaled.length; i++) scaled[i] = weight.data[i] * scales[i % columns];
  const values = dequantize(quantizeRtn({ rows, columns, data: scaled }, options)).data;
  const data = new Float64Array(values.length);
  for (let i = 0; i < data.length; i++) data[i] = values[i] / scales[i % columns];
  return { rows, columns, data };
}

/**
 * Tries the exponents on all `weights` that read the same input and keeps the one with the least
 * `loss`, which is given the round-tripped weights and answers with the mean squared change of the
 * inspected module's output (the whole attention or MLP, or the layer alone). Exponent 0, plain
 * rounding, is a candidate: the result is never worse in that measure.
 */
export async function searchAwqScales(
  weights: readonly Matrix[],
  magnitudes: Floats,
  loss: (roundTripped: readonly Matrix<Float64Array>[]) => Promise<number>,
  options: AwqOptions,
): Promise<AwqScales> {
  checkResolution(options);
  requireFinite(magnitudes, 'input magnitudes');
  const { steps = 20 } = options;
  for (const weight of weights) checkColumns(weight, magnitudes.length);
  const losses: number[] = [];
  let best = 0;
  for (let step = 0; step < steps; step++) {
    await nextTurn(options.signal);
    const scales = awqScales(magnitudes, step / steps);
    losses.push(await loss(weights.map((weight) => scaledRoundTrip(weight, scales, options))));
    if (losses[step] < losses[best]) best = step;
  }
  return { ratio: best / steps, scales: awqScales(magnitudes, best / steps), losses };
}

/** Tokens used by the clip search at most. */
const clipTokens = 512;
const clipSteps = 10;

/**
 * Largest |w| to keep in each group, [N, groups]: shrinks the range by up to 45 % where the layer's
 * own output, group by group, then changes least. `inputs` [T, K] are what the layer sees (at most
 * 512 rows, evenly spread, are used). Not meant for query and key projections.
 * N · K · groupSize · 10 multiply-adds.
 */
export async function searchClip(
  weight: Matrix,
  inputs: Matrix,
  options: AwqOptions,
): Promise<Float32Array> {
  checkResolution(options);
  requireFinite(weight.data, 'weights');
  requireFinite(inputs.data, 'calibration activations');
  checkColumns(inputs, weight.columns);
  const { rows, columns } = weight;
  const { bits, signal } = options;
  const grid = grids[options.grid];
  const groupSize = Math.min(options.groupSize, columns);
  const perRow = Math.ceil(columns / groupSize);
  const limits = new Float32Array(rows * perRow);
  const clipped = new Float64Array(groupSize);
  const change = new Float64Array(groupSize);
  for (let group = 0; group < perRow; group++) {
    await nextTurn(signal);
    const start = group * groupSize;
    const length = Math.min(groupSize, columns - start);
    const gram = groupGram(inputs, start, length);
    for (let row = 0; row < rows; row++) {
      const offset = row * columns + start;
      let extreme = 0;
      for (let i = 0; i < length; i++) {
        extreme = Math.max(extreme, Math.abs(weight.data[offset + i]));
      }
      let least = Infinity;
      for (let step = 0; step < clipSteps; step++) {
        const limit = extreme * (1 - step / 20);
        for (let i = 0; i < length; i++) {
          const value = weight.data[offset + i];
          clipped[i] = value > limit ? limit : value < -limit ? -limit : value;
        }
        const parameters = grid.parameters(clipped, 0, length, bits);
        for (let i = 0; i < length; i++) {
          const code = grid.code(clipped[i], parameters, bits);
          change[i] = (code - parameters.zeroPoint) * parameters.scale - weight.data[offset + i];
        }
        const error = quadraticForm(gram, change, length);
        if (error < least) {
          least = error;
          limits[row * perRow + group] = limit;
        }
      }
    }
  }
  return limits;
}

/** `weight` [N, K] with every group limited to ± its entry of `limits` [N, groups], as float32. */
export function applyClip(
  { rows, columns, data }: Matrix,
  limits: Float32Array,
  groupSize: number,
): Matrix<Float32Array> {
  const size = Math.min(groupSize, columns);
  const perRow = Math.ceil(columns / size);
  const result = Float32Array.from(data);
  for (let i = 0; i < result.length; i++) {
    const limit = limits[Math.floor(i / columns) * perRow + Math.floor((i % columns) / size)];
    if (result[i] > limit) result[i] = limit;
    else if (result[i] < -limit) result[i] = -limit;
  }
  return { rows, columns, data: result };
}

/** Σ x·xᵀ of `length` channels from `start` on, [length, length], over at most 512 tokens. */
function groupGram(inputs: Matrix, start: number, length: number): Float64Array {
  const gram = new Float64Array(length * length);
  const stride = Math.max(1, Math.ceil(inputs.rows / clipTokens));
  for (let token = 0; token < inputs.rows; token += stride) {
    const at = token * inputs.columns + start;
    for (let i = 0; i < length; i++) {
      const x = inputs.data[at + i];
      if (x === 0) continue;
      for (let j = 0; j <= i; j++) gram[i * length + j] += x * inputs.data[at + j];
    }
  }
  return gram;
}

/** xᵀ·A·x with A symmetric, given by its lower triangle. */
function quadraticForm(lower: Float64Array, x: Float64Array, length: number): number {
  let total = 0;
  for (let i = 0; i < length; i++) {
    if (x[i] === 0) continue;
    let sum = 0;
    for (let j = 0, at = i * length; j < i; j++, at++) sum += lower[at] * x[j];
    total += x[i] * (2 * sum + lower[i * length + i] * x[i]);
  }
  return total;
}

function checkColumns({ columns }: Matrix, expected: number): void {
  if (columns === expected) return;
  throw new LatheError('tensor_mismatch', `${expected} input channels were expected: ${columns}`);
}
