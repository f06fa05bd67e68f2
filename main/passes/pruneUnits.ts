import type { LayerReport, StepEstimate } from '../../preload/contract/recipe.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import { highestUnits } from '../numeric/pruning/unitScores.ts';
import { weightError } from '../numeric/quantization/errors.ts';
import type { Model } from '../onnx/model.ts';
import { sizesInConfig } from './blockSizes.ts';
import { walkedSeconds } from './calibratedCost.ts';
import { floatLinears, readDecoder, type Block } from './decoder.ts';
import { weightBytes } from './edit.ts';
import { readWeight } from './linear.ts';
import type { BlockWalk, Pass, PassContext, PassInput, PassOutput } from './pass.ts';
import { relativeOutputError } from './relativeError.ts';
import { layerReport, type Loss } from './reports.ts';
import { blockModel } from './subgraphs.ts';
import { chooseEverywhere, evidenceOf, scoresOf, type Evidence } from './unitChoice.ts';
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
    estimate(input, step, tokens): Omit<StepEstimate, 'pass'> {
      const layers = floatLinears(readDecoder(input.model));
      const behind = eligibleBlocks(kind, input.model, step).map(
        (block) => kind.layers(block).outOf,
      );
      const walks = step.spread === 'global' ? 2 : 1;
      return {
        bytes: weightBytes(preview(input, step).model),
        // The Hessian and its sums, and a matrix with what is computed of it.
        peakBytes: Math.max(...behind.map(({ rows: N, columns: K }) => 16 * K * (K + N))),
        seconds: step.criterion === 'magnitude' ? 1 : walks * walkedSeconds(layers, tokens, 2),
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
        const units = floatLayers(kind, block);
        const evidence = walk && (await evidenceOf(walk, model, block, units, context));
        const kept =
          chosen?.get(index) ??
          highestUnits(
            await scoresOf(kind, block, evidence, context),
            shareKept(kind, block, step),
          );
        if (kept.length < kind.count(block)) model = kind.cut(model, block, kept);
        const loss = await lossOf(kind, block, kept, evidence, context);
        for (const report of reportsOf(kind, block, model, loss, started)) {
          layers.push(report);
          context.layer(report);
        }
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

/** Relative error of what the matrix behind the units gives; of its weights where no text is run. */
async function lossOf<Step extends UnitStep>(
  kind: UnitKind<Step>,
  block: Block,
  kept: readonly number[],
  evidence: Evidence | null,
  run: PassContext,
): Promise<Loss> {
  const count = kind.count(block);
  const weight = readWeight(floatLayers(kind, block).outOf);
  const width = weight.columns / count;
  const stays = new Set(kept);
  const masked = {
    ...weight,
    data: weight.data.map((value, at) =>
      stays.has(Math.floor((at % weight.columns) / width)) ? value : 0,
    ),
  };
  const note = `${kept.length} of ${count} ${kind.plural} stay`;
  if (evidence === null) {
    const after = weightError(weight.data, masked.data).relative;
    return { measure: 'weight', before: null, after, note };
  }
  const { hessian } = evidence;
  const [after] = await relativeOutputError({ weight, hessian }, [masked], run);
  return { measure: 'output', before: null, after, note };
}

/** Both matrices; what the units gave is lost where it comes out, so the error is told there. */
function reportsOf<Step extends UnitStep>(
  kind: UnitKind<Step>,
  block: Block,
  after: Model,
  loss: Loss,
  started: number,
): LayerReport[] {
  const was = floatLayers(kind, block);
  const is = floatLayers(kind, readDecoder(after).blocks[block.index]);
  return [
    {
      ...layerReport(is.into, is.into.weight.bytes.length, { ...loss, after: null }, started),
      bytesBefore: was.into.weight.bytes.length,
      seconds: 0,
    },
    {
      ...layerReport(is.outOf, is.outOf.weight.bytes.length, loss, started),
      bytesBefore: was.outOf.weight.bytes.length,
    },
  ];
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

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
