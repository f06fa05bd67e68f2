import { LatheError } from '../../preload/contract/errors.ts';
import {
  variantReportSchema,
  type CompressEstimate,
  type LinearFacts,
  type VariantReport,
} from '../../preload/contract/jobs.ts';
import type { Recipe } from '../../preload/contract/recipe.ts';
import { refOf, type Core } from './core.ts';
import { openModel } from './openModel.ts';

/** Checks a recipe against a model and predicts what it makes of it. */
export async function estimateRecipe(
  core: Core,
  request: { model: string; recipe: Recipe },
  signal?: AbortSignal,
): Promise<CompressEstimate> {
  const manifest = await openModel(core, request.model, { signal });
  const { folder } = manifest.record;
  const { resources } = core;
  const asked = { folder, resources, recipe: request.recipe };
  return core.supervisor.ask(refOf(manifest), (client) => client.estimate(asked), signal);
}

/** The linear layers of a model that targets of a recipe can name. */
export async function linears(
  core: Core,
  request: { model: string },
  signal?: AbortSignal,
): Promise<LinearFacts[]> {
  const manifest = await openModel(core, request.model, { signal });
  const { folder } = manifest.record;
  return core.supervisor.ask(refOf(manifest), (client) => client.linears({ folder }), signal);
}

/** How a variant was made; `not_found` for a model that is none. */
export async function variantReport(
  core: Core,
  request: { model: string },
  signal?: AbortSignal,
): Promise<VariantReport> {
  const { record, made } = await openModel(core, request.model, { signal });
  if (made === undefined) {
    throw new LatheError('not_found', `this model was not made by a recipe: ${record.name}`, {
      value: record.name,
    });
  }
  const report = variantReportSchema.safeParse(made);
  if (report.success) return report.data;
  throw new LatheError(
    'file_malformed',
    `another version of Lathe wrote down how this variant was made: ${record.name}`,
    { file: record.folder },
  );
}
