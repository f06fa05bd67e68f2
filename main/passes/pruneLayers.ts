import { LatheError } from '../../preload/contract/errors.ts';
import type { LayerReport, StepOf } from '../../preload/contract/recipe.ts';
import type { Matrix } from '../numeric/linearAlgebra/matrix.ts';
import { addBlockInfluence, blockInfluence } from '../numeric/pruning/blockInfluence.ts';
import { sizesInConfig } from './blockSizes.ts';
import { walkedSeconds } from './calibratedCost.ts';
import { floatLinears, readDecoder, type Block } from './decoder.ts';
import { weightBytes } from './edit.ts';
import type { Pass, PassContext, PassInput } from './pass.ts';
import { withoutBlocks } from './withoutBlocks.ts';

type Step = StepOf<'prune-layers'>;

/**
 * Takes out the blocks of least influence on the residual stream (ShortGPT, arXiv 2403.03853), or
 * those that the step names.
 */
export const layersPass: Pass<Step> = {
  name: 'prune-layers',
  check: ({ model }, step) => void eligibleBlocks(readDecoder(model).blocks.length, step),
  preview: previewOf,
  estimate(input, step, tokens) {
    const layers = floatLinears(readDecoder(input.model));
    const seconds = step.layers === undefined ? walkedSeconds(layers, tokens, 1) : 1;
    return { bytes: weightBytes(previewOf(input, step).model), peakBytes: 2 ** 28, seconds };
  },
  async run(input, step, context) {
    const { blocks } = readDecoder(input.model);
    const eligible = eligibleBlocks(blocks.length, step);
    const started = performance.now();
    const changes =
      step.layers === undefined ? await streamChanges(input, blocks.length, context) : null;
    const seconds = (performance.now() - started) / 1000 / blocks.length;
    const gone = new Set(step.layers ?? weakest(changes ?? [], eligible, step.count));
    const layers = blocks.map((block) =>
      reportOf(block, gone.has(block.index), changes?.[block.index] ?? null, seconds),
    );
    for (const report of layers) context.layer(report);
    const names = [...gone].toSorted((a, b) => a - b).join(', ');
    const notes = [`Blocks taken out, as they were numbered: ${names}.`];
    return { ...smaller(input, [...gone]), layers, notes };
  },
};

/** Which blocks go is not known yet; how many is. */
function previewOf(input: PassInput, step: Step): PassInput {
  const eligible = eligibleBlocks(readDecoder(input.model).blocks.length, step);
  return smaller(input, step.layers ?? eligible.slice(-step.count));
}

function smaller(input: PassInput, gone: readonly number[]): PassInput {
  const model = withoutBlocks(input.model, gone);
  return { model, config: sizesInConfig(input, model) };
}

/** Blocks that may go, rising; refuses a step that leaves nothing or names what is not there. */
function eligibleBlocks(total: number, { count, layers, keepFirst, keepLast }: Step): number[] {
  const unknown = layers?.find((index) => index >= total);
  if (unknown !== undefined) {
    throw new LatheError('usage', `there is no such block, the model has ${total}: ${unknown}`, {
      value: String(unknown),
    });
  }
  const wanted = layers === undefined ? count : new Set(layers).size;
  if (wanted >= total) {
    throw new LatheError('usage', `a block must stay, the model has ${total}; to go: ${wanted}`, {
      value: String(wanted),
    });
  }
  const eligible = Array.from({ length: total }, (_, index) => index).filter(
    (index) => index >= keepFirst && index < total - keepLast,
  );
  if (layers === undefined && eligible.length < wanted) {
    throw new LatheError(
      'usage',
      `${eligible.length} of ${total} blocks may go, as the first ${keepFirst} and the last ${keepLast} stay; to go: ${wanted}`,
      { value: String(wanted) },
    );
  }
  return eligible;
}

/** What a block does to the residual stream. */
interface StreamChange {
  readonly influence: number;
  /** ‖after − before‖ / ‖after‖ over tokens: the error of the stream behind it once it is gone. */
  readonly error: number;
}

/** How each block changes the stream, in one run of the text through the whole model. */
async function streamChanges(
  { model }: PassInput,
  total: number,
  context: PassContext,
): Promise<StreamChange[]> {
  const calibration = await context.calibration();
  const values = [
    'embed',
    ...Array.from({ length: total }, (_, index) => `blocks.${index}.resid_post`),
  ];
  const sums = Array.from({ length: total }, () => ({
    cosines: { cosines: 0, tokens: 0 },
    noise: 0,
    signal: 0,
  }));
  let before: Matrix<Float32Array> | null = null;
  // Values come in the order asked for, batch by batch.
  await calibration.activations(model, values, (value, rows) => {
    const after = { ...rows, data: rows.data.slice() };
    const sum = sums[values.indexOf(value) - 1];
    if (before !== null && sum !== undefined) {
      addBlockInfluence(sum.cosines, before, after);
      for (let i = 0; i < after.data.length; i++) {
        sum.noise += (after.data[i] - before.data[i]) ** 2;
        sum.signal += after.data[i] ** 2;
      }
    }
    context.progress((values.indexOf(value) + 1) / (values.length + 1), value);
    before = after;
  });
  return sums.map(({ cosines, noise, signal }) => ({
    influence: blockInfluence(cosines),
    error: noise === 0 ? 0 : Math.sqrt(noise / signal),
  }));
}

function weakest(
  changes: readonly StreamChange[],
  eligible: readonly number[],
  count: number,
): number[] {
  return eligible
    .toSorted((a, b) => changes[a].influence - changes[b].influence || a - b)
    .slice(0, count);
}

function reportOf(
  { index, linears }: Block,
  gone: boolean,
  change: StreamChange | null,
  seconds: number,
): LayerReport {
  const weights = Object.values(linears).flatMap(({ weight }) => (weight === null ? [] : [weight]));
  const bytes = weights.reduce((sum, tensor) => sum + tensor.bytes.length, 0);
  const numbers = Object.values(linears).reduce(
    (sum, { rows, columns }) => sum + rows * columns,
    0,
  );
  const influence = change === null ? '' : `influence ${change.influence.toPrecision(3)}, `;
  return {
    layer: `blocks.${index}`,
    measure: 'output',
    errorBefore: null,
    errorAfter: gone ? (change?.error ?? null) : 0,
    bits: gone ? 0 : (8 * bytes) / numbers,
    bytesBefore: bytes,
    bytes: gone ? 0 : bytes,
    seconds,
    note: `${influence}${gone ? 'taken out' : 'stays'}`,
  };
}
