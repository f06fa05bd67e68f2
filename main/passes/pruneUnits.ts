import type { LayerReport, StepEstimate } from '../../preload/contract/recipe.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import { highestUnits } from '../numeric/pruning/unitScores.ts';
import type { Model } from '../onnx/model.ts';
import { outputChange } from './blockChange.ts';
import { sizesInConfig } from './blockSizes.ts';
import { calibratedSeconds } from './calibratedCost.ts';
import { floatLinears, readDecoder, type Block } from './decoder.ts';
import { weightBytes } from './edit.ts';
import { readWeight, type FloatLinear } from './linear.ts';
import type { BlockWalk, Pass, PassContext, PassInput, PassOutput } from './pass.ts';
import { layerReport } from './reports.ts';
import { blockModel } from './subgraphs.ts';
import { chooseEverywhere, scoresOf } from './unitChoice.ts';
import {
  blocksInside,
  checkUnits,
  eligibleBlocks,
  floatLayers,
  shareKept,
  type UnitKind,
  type UnitStep,
} from './units.ts';

/** A pass that cuts units of one kind out of blocks. */
export function unitPass<Step extends UnitStep>(
  name: Step['pass'],
  kind: UnitKind<Step>,
): Pass<Step> {
  const preview = (input: PassInput, step: Step): PassInput => previewOf(kind, input, step);
  return {
    name,
    check: (input, step) => checkUnits(kind, input, step),
    preview,
    estimate(input, step): Omit<StepEstimate, 'pass'> {
      const layers = floatLinears(readDecoder(input.model));
      const walks = step.spread === 'global' ? 2 : 1;
      return {
        bytes: weightBytes(preview(input, step).model),
        // A matrix in float32, and what is computed of it in float64.
        peakBytes: Math.max(...layers.map(({ rows, columns }) => 16 * rows * columns)),
        seconds: step.criterion === 'magnitude' ? 1 : walks * calibratedSeconds(layers, 0),
      };
    },
    run: (input, step, context) => runUnits(kind, input, step, context),
  };
}

/** As many units fewer as will be; which ones is not known yet, nor how they spread over blocks. */
function previewOf<Step extends UnitStep>(
  kind: UnitKind<Step>,
  input: PassInput,
  step: Step,
): PassInput {
  let { model } = input;
  for (const { index } of eligibleBlocks(kind, model, step)) {
    const block = readDecoder(model).blocks[index];
    const kept = Array.from({ length: shareKept(kind, block, step) }, (_, unit) => unit);
    model = kind.cut(model, block, kept);
  }
  return { model, config: sizesInConfig(input, model) };
}

async function runUnits<Step extends UnitStep>(
  kind: UnitKind<Step>,
  input: PassInput,
  step: Step,
  context: PassContext,
): Promise<PassOutput> {
  const chosen =
    step.spread === 'global'
      ? await walking(input, step, context, (walk) =>
          chooseEverywhere(kind, input.model, step, walk, context),
        )
      : null;
  const eligible = new Set(eligibleBlocks(kind, input.model, step).map(({ index }) => index));
  const last = Math.max(...eligible);
  const layers: LayerReport[] = [];
  let { model } = input;
  await walking(input, step, context, async (walk) => {
    for (let index = 0; index <= last; index++) {
      await nextTurn(context.signal);
      if (eligible.has(index)) {
        const started = performance.now();
        const block = readDecoder(model).blocks[index];
        const share = index / (last + 1);
        context.progress(chosen === null ? share : (1 + share) / 2, `blocks.${index}`);
        const kept =
          chosen?.get(index) ??
          highestUnits(
            await scoresOf(kind, model, block, walk, context),
            shareKept(kind, block, step),
          );
        const smaller = kept.length < kind.count(block) ? kind.cut(model, block, kept) : model;
        const cut = { before: model, after: smaller, block, kept: kept.length };
        for (const report of await reportsOf(kind, cut, walk, started)) {
          layers.push(report);
          context.layer(report);
        }
        model = smaller;
      }
      if (index < last) await walk?.advance(blockModel(model, index));
    }
  });
  const config = sizesInConfig(input, model);
  return { model, config, layers, notes: notesOf(kind, input.model, model, step) };
}

/** With a walk through the blocks where the criterion looks at activations. */
async function walking<T>(
  { model }: PassInput,
  { criterion }: UnitStep,
  context: PassContext,
  use: (walk: BlockWalk | null) => Promise<T>,
): Promise<T> {
  if (criterion === 'magnitude') return use(null);
  const walk = await (await context.calibration()).blocks(model);
  try {
    return await use(walk);
  } finally {
    await walk.close();
  }
}

/** A block before and after units were cut out of it. */
interface Cut {
  readonly before: Model;
  readonly after: Model;
  /** As it was. */
  readonly block: Block;
  readonly kept: number;
}

/** Both matrices; what the units gave is lost where it comes out, so the error is told there. */
async function reportsOf<Step extends UnitStep>(
  kind: UnitKind<Step>,
  cut: Cut,
  walk: BlockWalk | null,
  started: number,
): Promise<LayerReport[]> {
  const was = floatLayers(kind, cut.block);
  const is = floatLayers(kind, readDecoder(cut.after).blocks[cut.block.index]);
  const note = `${cut.kept} of ${kind.count(cut.block)} ${kind.plural} stay`;
  const measure = walk === null ? 'weight' : 'output';
  const after = await lossOf(cut, was.outOf, is.outOf, walk);
  return (['into', 'outOf'] as const).map((side) => ({
    ...layerReport(
      is[side],
      is[side].weight.bytes.length,
      { measure, before: null, after: side === 'into' ? null : after, note },
      side === 'into' ? performance.now() : started,
    ),
    bytesBefore: was[side].weight.bytes.length,
  }));
}

/** Relative change of what the matrix behind the units gives; of its weights where no text is run. */
async function lossOf(
  { before, after, block }: Cut,
  was: FloatLinear,
  is: FloatLinear,
  walk: BlockWalk | null,
): Promise<number> {
  if (before === after) return 0;
  if (walk !== null) {
    const [whole, smaller] = [before, after].map((model) => blockModel(model, block.index));
    return outputChange(walk, whole, smaller, was.output);
  }
  const all = sumOfSquares(was);
  return all === 0 ? 0 : Math.sqrt(Math.max(0, 1 - sumOfSquares(is) / all));
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

function sumOfSquares(linear: FloatLinear): number {
  return readWeight(linear).data.reduce((sum, value) => sum + value * value, 0);
}

function notesOf<Step extends UnitStep>(
  kind: UnitKind<Step>,
  before: Model,
  after: Model,
  step: Step,
): string[] {
  const counts = (model: Model): number[] =>
    readDecoder(model).blocks.map((block) => kind.count(block));
  const all = total(counts(before));
  const left = counts(after);
  const gone = all - total(left);
  const share = ((100 * gone) / all).toFixed(1);
  const eligible = new Set(eligibleBlocks(kind, before, step).map(({ index }) => index));
  const skipped = blocksInside(before, step)
    .filter(({ index }) => !eligible.has(index))
    .map(({ index }) => `blocks.${index}`);
  return [
    `${gone} of ${all} ${kind.plural} are cut out, ${share} %.`,
    ...(new Set(left).size > 1
      ? [
          'Blocks differ in size now, which config.json cannot say to other tools; the graph does, and the field lathe of config.json lists it.',
        ]
      : []),
    ...(skipped.length > 0
      ? [`Left as they are, since their weights are no floats any more: ${skipped.join(', ')}.`]
      : []),
  ];
}
