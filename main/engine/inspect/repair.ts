import { LatheError } from '../../../preload/contract/errors.ts';
import type { Repair, RepairRequest } from '../../../preload/contract/inspect/index.ts';
import {
  recipeSchema,
  stepSchema,
  type Recipe,
  type Step,
  type StepOf,
} from '../../../preload/contract/recipe.ts';
import { matchTargets } from '../../../preload/contract/targets.ts';
import { EMBEDDING } from '../../passes/mix.ts';
import { estimateRecipe, linears, variantReport } from '../compress.ts';
import type { Core } from '../core.ts';
import { openModel } from '../openModel.ts';

/**
 * The recipe of a variant, changed so that some layers stay as they were or get 8 bits; it has been
 * checked against the model that the variant was made from. `not_found` for a model that no recipe
 * made, or whose origin has gone; `usage` for layers that are not there, where no step can leave them
 * out, or where nothing would be left to do.
 */
export async function repair(
  core: Core,
  { variant, layers, keep }: RepairRequest,
  signal?: AbortSignal,
): Promise<Repair> {
  const { parent, parentSha256, recipe } = await variantReport(core, { model: variant }, signal);
  const origin = await openModel(core, parent, { signal });
  if (origin.record.sha256 !== parentSha256) {
    throw new LatheError(
      'not_found',
      `the model that this variant was made from is not the one of this name any more: ${parent}`,
      { value: parent },
    );
  }
  const table = await linears(core, { model: parent }, signal);
  const names = table.map(({ name }) => name);
  refuseUnknown(layers, names);
  const repaired = spared(recipe, layers, names, keep);
  await estimateRecipe(core, { model: parent, recipe: repaired }, signal);
  return { model: parent, recipe: repaired };
}

function refuseUnknown(layers: readonly string[], names: readonly string[]): void {
  const stray = layers.find((layer) => layer !== EMBEDDING && !names.includes(layer));
  if (stray === undefined) return;
  const known = [...new Set(names.map((name) => name.replace(/\d+/, '*')))].join(', ');
  const message = `no layer has such a name: ${stray}; there are ${EMBEDDING}, ${known}`;
  throw new LatheError('usage', message, { value: stray });
}

/** A recipe whose steps leave layers out; at 8 bits a step of their own follows the last of these. */
export function spared(
  recipe: Recipe,
  layers: readonly string[],
  names: readonly string[],
  keep: RepairRequest['keep'],
): Recipe {
  const kept = new Set(layers);
  const targeted = new Set(
    recipe.passes.flatMap((step) => ('targets' in step ? matchTargets(names, step.targets) : [])),
  );
  const changed = recipe.passes.map((step) =>
    step.pass === 'quantize-embedding'
      ? sparingEmbedding(step, kept, targeted, keep)
      : sparing(step, kept, names),
  );
  const reduced = changed.flatMap((step) => step ?? []);
  // A layer that no step touched is in float, and better so.
  const linear = names.filter((name) => kept.has(name) && targeted.has(name));
  const last = changed.findLastIndex((_, at) => 'targets' in recipe.passes[at]);
  const before = changed.slice(0, last + 1).flatMap((step) => step ?? []);
  const passes =
    keep === '8-bit' && linear.length > 0 && last >= 0
      ? [...before, eightBit(recipe, linear), ...reduced.slice(before.length)]
      : reduced;
  if (passes.length === 0) {
    throw new LatheError(
      'usage',
      'nothing of the recipe would be left: these are all the layers that it changes',
      { value: layers.join(', ') },
    );
  }
  if (JSON.stringify(passes) === JSON.stringify(recipe.passes)) {
    const known = [...new Set(passes.map(({ pass }) => pass))].join(', ');
    throw new LatheError('usage', `no step of the recipe can leave these layers out: ${known}`, {
      value: layers.join(', '),
    });
  }
  const name = `${recipe.name.slice(0, 110)}-repaired`;
  return recipeSchema.parse({ ...recipe, name, passes });
}

/**
 * The embedding in float (no step at all) or at 8 bits. A tied output matrix goes with it to 8 bits
 * where no other step rounds it; otherwise it is left alone here.
 */
function sparingEmbedding(
  step: StepOf<'quantize-embedding'>,
  kept: ReadonlySet<string>,
  targeted: ReadonlySet<string>,
  keep: RepairRequest['keep'],
): Step | null {
  const better = keep === '8-bit' && step.bits < 8 ? { ...step, bits: 8 as const } : null;
  if (kept.has(EMBEDDING)) return better;
  if (!kept.has('lm_head') || !step.head) return step;
  const alone = { ...step, head: false };
  return targeted.has('lm_head') ? alone : (better ?? alone);
}

/** A step without some layers; null where it has nothing left to do. */
function sparing(step: Step, kept: ReadonlySet<string>, names: readonly string[]): Step | null {
  if (!('targets' in step)) return step;
  const out = matchTargets(names, step.targets).filter((name) => kept.has(name));
  if (out.length === 0) return step;
  if (out.length === matchTargets(names, step.targets).length) return null;
  return { ...step, targets: [...step.targets, ...out.map((name) => `!${name}`)] };
}

/** Rounds layers to 8 bits in the way that the recipe rounds others. */
function eightBit({ passes }: Recipe, layers: readonly string[]): Step {
  const like = passes.find((step) => 'accuracy' in step && 'format' in step);
  return stepSchema.parse({
    pass: 'quantize-rtn',
    bits: 8,
    targets: [...layers],
    ...(like !== undefined && 'accuracy' in like && { accuracy: like.accuracy }),
    ...(like !== undefined && 'format' in like && { format: like.format }),
  });
}
