import { type Matrix } from '../linearAlgebra/matrix.ts';
import { type GridName, grids } from './grid.ts';
import {
  groupsPerRow,
  prepareQuantized,
  type Quantized,
  type Resolution,
  withoutTrivialZeroPoints,
} from './quantized.ts';

/** Options of round-to-nearest. */
export interface RtnOptions extends Resolution {
  readonly grid: GridName;
}

/**
 * Round to nearest: each weight of [N, K] to the nearest step of its group's grid, no data needed.
 * |w - ŵ| ≤ |scale| with onnxruntime's grids (blocked `quantize` of its MatMulNBits quantizer,
 * reproduced in float32), ≤ scale / 2 inside the range otherwise.
 */
export function quantizeRtn(weight: Matrix, options: RtnOptions): Quantized {
  const { bits } = options;
  const grid = grids[options.grid];
  const quantized = prepareQuantized(weight, options, 'integer');
  const { columns, groupSize, codes, scales, zeroPoints } = quantized;
  const perRow = groupsPerRow(quantized);
  for (let group = 0; group < scales.length; group++) {
    const start = (group % perRow) * groupSize;
    const offset = Math.floor(group / perRow) * columns + start;
    const length = Math.min(groupSize, columns - start);
    const parameters = grid.parameters(weight.data, offset, length, bits);
    scales[group] = parameters.scale;
    zeroPoints.values[group] = parameters.zeroPoint;
    for (let i = offset; i < offset + length; i++) {
      codes[i] = grid.code(weight.data[i], parameters, bits);
    }
  }
  return withoutTrivialZeroPoints(quantized);
}
