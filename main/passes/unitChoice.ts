import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import { highestUnits } from '../numeric/pruning/unitScores.ts';
import type { Model } from '../onnx/model.ts';
import { streamNorm } from './blockChange.ts';
import { readDecoder, type Block } from './decoder.ts';
import type { BlockWalk, PassContext } from './pass.ts';
import { blockModel } from './subgraphs.ts';
import { cutOf, eligibleBlocks, floatLayers, type UnitKind, type UnitStep } from './units.ts';

/**
 * Scores of a block's units, comparable across blocks. With a walk that stands before the block:
 * what a unit adds relative to the stream it is added to. Without: the product of its weights' norms
 * relative to the block's mean.
 */
export async function scoresOf<Step extends UnitStep>(
  kind: UnitKind<Step>,
  model: Model,
  block: Block,
  walk: BlockWalk | null,
  context: PassContext,
): Promise<Float64Array> {
  const layers = floatLayers(kind, block);
  if (walk === null) {
    const scores = kind.magnitudes(block, layers);
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    return mean > 0 ? scores.map((score) => score / mean) : scores;
  }
  const part = blockModel(model, block.index);
  const energies = await kind.energies(
    block,
    layers,
    (visit) => walk.inputs(part, [layers.outOf.input], visit),
    context,
  );
  const norm = await streamNorm(walk);
  return energies.map((energy) => Math.sqrt(Math.max(0, energy)) / (norm || 1));
}

/**
 * Which units stay in each block, rising, where the weakest go wherever they are; every block keeps
 * at least the least it can.
 */
export async function chooseEverywhere<Step extends UnitStep>(
  kind: UnitKind<Step>,
  model: Model,
  step: Step,
  walk: BlockWalk | null,
  context: PassContext,
): Promise<ReadonlyMap<number, readonly number[]>> {
  const eligible = eligibleBlocks(kind, model, step);
  const scores = new Map<number, Float64Array>();
  const last = eligible.at(-1)?.index ?? -1;
  const { blocks } = readDecoder(model);
  for (let index = 0; index <= last; index++) {
    await nextTurn(context.signal);
    context.progress(index / (2 * last + 2), `blocks.${index}`);
    if (eligible.some((block) => block.index === index)) {
      scores.set(index, await scoresOf(kind, model, blocks[index], walk, context));
    }
    if (index < last) await walk?.advance(blockModel(model, index));
  }
  const left = countsLeft(scores, step.ratio);
  return new Map(
    [...scores].map(([index, ofBlock]): [number, number[]] => {
      const asked = left.get(index) ?? ofBlock.length;
      return [index, highestUnits(ofBlock, kind.rounded(blocks[index], asked, step))];
    }),
  );
}

/** How many units each block keeps when the weakest of all go, one staying in every block. */
function countsLeft(
  scores: ReadonlyMap<number, Float64Array>,
  ratio: number,
): ReadonlyMap<number, number> {
  const ranked = [...scores].flatMap(([block, ofBlock]) =>
    Array.from(ofBlock, (score) => ({ block, score })),
  );
  ranked.sort((a, b) => a.score - b.score || a.block - b.block);
  const left = new Map([...scores].map(([block, ofBlock]) => [block, ofBlock.length]));
  let wanted = cutOf(ranked.length, ratio);
  for (const { block } of ranked) {
    if (wanted === 0) break;
    const count = left.get(block) ?? 0;
    if (count <= 1) continue;
    left.set(block, count - 1);
    wanted--;
  }
  return left;
}
