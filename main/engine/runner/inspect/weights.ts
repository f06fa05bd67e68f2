import { LatheError } from '../../../../preload/contract/errors.ts';
import { matrix, type Floats, type Matrix } from '../../../numeric/linearAlgebra/matrix.ts';
import { nextTurn, type Run } from '../../../numeric/linearAlgebra/multiply.ts';
import { spectrum } from '../../../numeric/linearAlgebra/spectrum.ts';
import {
  histogram,
  largestMagnitude,
  moments,
  outlierColumns,
} from '../../../numeric/matrices/distribution.ts';
import { errorGrid } from '../../../numeric/matrices/errorGrid.ts';
import { weightError } from '../../../numeric/quantization/errors.ts';
import { readDecoder } from '../../../passes/decoder.ts';
import { GraphIndex } from '../../../passes/graphIndex.ts';
import type { Linear } from '../../../passes/linear.ts';
import { linearMapOf } from '../../../passes/linearMap.ts';
import { storageOf, storedSize } from '../../../passes/storage.ts';
import { openMultiply } from '../../calibration/multiply.ts';
import { inputFor, openInput } from '../passInput.ts';
import type { LayerFacts, LayerRequest } from './compareContract.ts';

/** Bins of a histogram; odd, so that 0 has a bin of its own. */
const BINS = 101;
/** Cells along each side of the map of errors. */
const MOST_CELLS = 64;
/** Singular values that are given. */
const MOST_VALUES = 256;
/** Channels of the smaller side; finding all singular values of more would take minutes. */
const MOST_CHANNELS = 2048;

/** A layer as numbers, and how it is stored. */
interface ReadLayer {
  readonly weight: Matrix<Float32Array>;
  readonly stored: string;
  readonly bits: number;
}

/** What one matrix of a model is like, and how it differs from that of another model. */
export async function layerFacts(
  { folder, layer, against, threads }: LayerRequest,
  signal?: AbortSignal,
): Promise<LayerFacts> {
  const { weight, stored, bits } = await readLayer(folder, layer);
  const other = against === null ? null : await readOther(against, layer, weight);
  const multiply = await openMultiply({ threads, device: 'cpu' });
  const run = { multiply, signal };
  try {
    const reach = Math.max(
      largestMagnitude(weight.data),
      other === null ? 0 : largestMagnitude(other.data),
    );
    // Each line goes over the whole matrix: between them others have their turn.
    const counted = await inTurn(run, () => histogram(weight.data, reach, BINS));
    const spread = await inTurn(run, () => moments(weight.data));
    const outliers = await inTurn(run, () => outlierColumns(weight));
    return {
      layer,
      rows: weight.rows,
      columns: weight.columns,
      stored,
      bits,
      histogram: counted,
      ...spread,
      outliers,
      singularValues: await largestValues(weight, run),
      difference: other && (await differenceOf(weight, other, reach, run)),
    };
  } finally {
    await multiply.close();
  }
}

async function differenceOf(
  weight: Matrix,
  other: Matrix<Float32Array>,
  reach: number,
  run: Run,
): Promise<NonNullable<LayerFacts['difference']>> {
  return {
    histogram: await inTurn(run, () => histogram(other.data, reach, BINS)),
    relativeError: await inTurn(run, () => relativeError(other.data, weight.data)),
    ...(await inTurn(run, () => errorGrid(weight, other, MOST_CELLS))),
    singularValues: await largestValues(other, run),
  };
}

/** Work that blocks the thread, when others have had their turn; `cancelled` before it. */
async function inTurn<T>({ signal }: Run, work: () => T): Promise<T> {
  await nextTurn(signal);
  return work();
}

/** ‖W − W₀‖ / ‖W₀‖; where W₀ is all zeros, 1 for anything else. */
function relativeError(original: Floats, approximation: Floats): number {
  const { relative } = weightError(original, approximation);
  return Number.isFinite(relative) ? relative : 1;
}

async function largestValues(weight: Matrix, run: Run): Promise<Float32Array<ArrayBuffer>> {
  if (Math.min(weight.rows, weight.columns) > MOST_CHANNELS) return new Float32Array(0);
  return Float32Array.from((await spectrum(weight, run)).subarray(0, MOST_VALUES));
}

async function readLayer(folder: string, layer: string): Promise<ReadLayer> {
  const opened = openInput(folder);
  try {
    const { model } = await inputFor(opened, []);
    const { linears } = readDecoder(model);
    const linear = linears.find(({ name }) => name === layer);
    if (linear === undefined) throw noLayer(layer, linears);
    const graph = new GraphIndex(model);
    const { dims, read } = linearMapOf(graph, linear).weight;
    const weight = matrix(dims[0], dims[1], read());
    return { weight, stored: storageOf(graph, linear), bits: storedSize(model, linear).bits };
  } finally {
    opened.close();
  }
}

/** The same layer of another model; null where it has none of this size. */
async function readOther(
  folder: string,
  layer: string,
  { rows, columns }: Matrix,
): Promise<Matrix<Float32Array> | null> {
  const opened = openInput(folder);
  try {
    const { model } = await inputFor(opened, []);
    const linear = readDecoder(model).linears.find(({ name }) => name === layer);
    if (linear === undefined || linear.rows !== rows || linear.columns !== columns) return null;
    return matrix(rows, columns, linearMapOf(new GraphIndex(model), linear).weight.read());
  } finally {
    opened.close();
  }
}

function noLayer(layer: string, linears: readonly Linear[]): LatheError {
  const known = [...new Set(linears.map(({ name }) => name.replace(/\d+/, '*')))].join(', ');
  return new LatheError('usage', `no layer has such a name: ${layer}; there are ${known}`, {
    value: layer,
  });
}
