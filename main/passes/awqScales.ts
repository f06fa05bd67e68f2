import type { StepOf } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { searchAwqScales } from '../numeric/quantization/awq.ts';
import type { GridName } from '../numeric/quantization/grid.ts';
import type { Model } from '../onnx/model.ts';
import { readDecoder, type Block } from './decoder.ts';

import { edited, type Edit } from './edit.ts';
import { divideNorm, divideRows, multiplyColumns } from './fold.ts';
import { isFloatLinear, readWeight, type FloatLinear } from './linear.ts';
import type { BlockWalk, PassContext, TrialConstant } from './pass.ts';
import { blockModel } from './subgraphs.ts';

type Step = StepOf<'quantize-awq'>;

/** The method's own grid, whose range need not hold 0; the runtime's where it is to be symmetric. */
export const awqGrid = ({ symmetric }: Pick<Step, 'symmetric'>): GridName =>
  symmetric ? 'ort-symmetric' : 'awq';

/** A layer whose input channels are scaled up, and what takes the scales off before it. */
interface Pair {
  readonly linear: FloatLinear;
  /** The value whose change is looked at: the output of the whole attention or MLP. */
  readonly inspected: string;
  /** The edit that divides what the layer reads by s. */
  divide(model: Model, s: Float64Array): Edit;
}

/**
 * Finds the scales of a block's layers and gives the edits that fold them in: none of them changes
 * what the block gives. Scales are searched on the block as it came; folding one pair does not
 * change what the others read, but for the layer that takes the division.
 */
export async function foldBlock(
  model: Model,
  index: number,
  walk: BlockWalk,
  chosen: ReadonlySet<string>,
  step: Step,
  context: PassContext,
): Promise<Edit[]> {
  const part = blockModel(model, index);
  const pairs = pairsOf(readDecoder(model).blocks[index]).filter(({ linear }) =>
    chosen.has(linear.name),
  );
  const magnitudes = await inputMagnitudes(walk, part, pairs);
  const found: { pair: Pair; scales: Float64Array }[] = [];
  for (const pair of pairs) {
    const { linear } = pair;
    const weight = readWeight(linear);
    const constant: TrialConstant = {
      name: weightValue(linear),
      dims: [linear.rows, linear.columns],
      values: weight.data,
    };
    const options = { from: linear.input, to: pair.inspected, constants: [constant] };
    const trial = await walk.trial(part, options);
    try {
      const { scales } = await searchAwqScales(
        [weight],
        magnitudes.get(linear.input) ?? new Float64Array(linear.columns).fill(1),
        async ([values]) =>
          trial.change(new Map([[constant.name, Float32Array.from(values.data)]])),
        { ...step, grid: awqGrid(step), signal: context.signal },
      );
      found.push({ pair, scales });
    } finally {
      await trial.close();
    }
  }
  return foldAll(model, index, found);
}

/** Folds pair after pair; a layer may have its columns scaled by one and its rows by the next. */
function foldAll(
  model: Model,
  index: number,
  found: readonly { pair: Pair; scales: Float64Array }[],
): Edit[] {
  const initializers = new Map<string, NonNullable<Edit['initializers']>[number]>();
  let current = model;
  for (const { pair, scales } of found) {
    const name = pair.linear.name;
    const now = pairsOf(readDecoder(current).blocks[index]).find((one) => one.linear.name === name);
    if (now === undefined) continue;
    const edits = [now.divide(current, scales), multiplyColumns(now.linear, scales)];
    current = edited(current, ...edits);
    for (const edit of edits) {
      for (const tensor of edit.initializers ?? []) initializers.set(tensor.name, tensor);
    }
  }
  return [{ initializers: [...initializers.values()] }];
}

/** The value that the product reads its weight from: the constant, or its Cast where it is 16-bit. */
export function weightValue({ nodes, weight }: FloatLinear): string {
  return nodes.find(({ opType }) => opType === 'FusedMatMul')?.inputs[1] ?? weight.name;
}

function pairsOf({ norms, linears, attention }: Block): Pair[] {
  const { qkv, o, gateUp, down } = linears;
  const pairs: Pair[] = [];
  if (isFloatLinear(qkv)) {
    pairs.push({
      linear: qkv,
      inspected: o.output,
      divide: (model, s) => divideNorm(model, norms.attention, s),
    });
  }
  // With shared keys and values one row would have to take the scales of several columns.
  if (isFloatLinear(o) && isFloatLinear(qkv) && attention.heads === attention.kvHeads) {
    const from = rowOf(qkv, 'v');
    pairs.push({
      linear: o,
      inspected: o.output,
      divide: (_, s) => divideRows(qkv, from, s),
    });
  }
  if (isFloatLinear(gateUp)) {
    pairs.push({
      linear: gateUp,
      inspected: down.output,
      divide: (model, s) => divideNorm(model, norms.mlp, s),
    });
  }
  if (isFloatLinear(down) && isFloatLinear(gateUp)) {
    const from = rowOf(gateUp, 'up');
    pairs.push({
      linear: down,
      inspected: down.output,
      divide: (_, s) => divideRows(gateUp, from, s),
    });
  }
  return pairs;
}

const rowOf = ({ parts }: FloatLinear, name: string): number =>
  parts.find((part) => part.name === name)?.from ?? 0;

/** mean |x| of each layer's input channels. Channels that carry nothing count as the middle one. */
async function inputMagnitudes(
  walk: BlockWalk,
  part: Model,
  pairs: readonly Pair[],
): Promise<Map<string, Float64Array>> {
  const sums = new Map<string, Float64Array>();
  const values = pairs.map(({ linear }) => linear.input);
  let rows = 0;
  await walk.inputs(part, values, (value, { columns, data, rows: count }: Matrix<Float32Array>) => {
    const sum = sums.get(value) ?? new Float64Array(columns);
    for (let i = 0; i < data.length; i++) sum[i % columns] += Math.abs(data[i]);
    sums.set(value, sum);
    if (value === values[0]) rows += count;
  });
  return new Map([...sums].map(([value, sum]) => [value, filled(sum.map((one) => one / rows))]));
}

/** Padded and dead channels would stretch the range of the scales for nothing. */
function filled(magnitudes: Float64Array): Float64Array {
  const used = magnitudes.filter((value) => value > 0).toSorted();
  const middle = used[used.length >> 1] ?? 1;
  return magnitudes.map((value) => (value > 0 ? value : middle));
}
