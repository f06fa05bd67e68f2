import { addTokens, createHessian, hessianMatrix } from '../numeric/linearAlgebra/hessian.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import { highestUnits } from '../numeric/pruning/unitScores.ts';
import type { Model } from '../onnx/model.ts';
import { readDecoder, type Block } from './decoder.ts';
import type { BlockWalk, PassContext } from './pass.ts';
import { blockModel } from './subgraphs.ts';
import {
  cutOf,
  eligibleBlocks,
  floatLayers,
  type UnitKind,
  type UnitLayers,
  type UnitStep,
} from './units.ts';

/** What calibration text says about the units of one block. */
export interface Evidence {
  /** Of what goes into the matrix that units have columns in. */
  readonly hessian: Float64Array;
  /** Root mean square norm of the stream before the block. */
  readonly streamNorm: number;
}

/** Runs the text through the block that the walk stands before. */
export async function evidenceOf(
  walk: BlockWalk,
  model: Model,
  { index }: Block,
  { outOf }: UnitLayers,
  context: PassContext,
): Promise<Evidence> {
  const sums = createHessian(outOf.columns);
  await walk.inputs(blockModel(model, index), [outOf.input], (_, rows) =>
    addTokens(sums, rows, context),
  );
  let squares = 0;
  await walk.hidden((_, { data }) => {
    for (let i = 0; i < data.length; i++) squares += data[i] * data[i];
  });
  return { hessian: hessianMatrix(sums), streamNorm: Math.sqrt(squares / sums.tokens) };
}

/**
 * Scores of a block's units, comparable across blocks. With calibration text: what a unit adds
 * relative to the stream it is added to. Without: the product of its weights' norms relative to the
 * block's mean.
 */
export async function scoresOf<Step extends UnitStep>(
  kind: UnitKind<Step>,
  block: Block,
  evidence: Evidence | null,
  context: PassContext,
): Promise<Float64Array> {
  const layers = floatLayers(kind, block);
  if (evidence === null) {
    const scores = kind.magnitudes(block, layers);
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    return mean > 0 ? scores.map((score) => score / mean) : scores;
  }
  const { hessian, streamNorm } = evidence;
  const energies = await kind.energies(block, layers, hessian, context);
  return energies.map((energy) => Math.sqrt(Math.max(0, energy)) / (streamNorm || 1));
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
      const block = blocks[index];
      const layers = floatLayers(kind, block);
      const evidence = walk && (await evidenceOf(walk, model, block, layers, context));
      scores.set(index, await scoresOf(kind, block, evidence, context));
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
