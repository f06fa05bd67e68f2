import type { Weights, WeightsRequest } from '../../../preload/contract/inspect/index.ts';
import type { Manifest } from '../../library/manifest.ts';
import { refOf, type Core } from '../core.ts';
import { listModels, openModel } from '../openModel.ts';

/** One matrix of a model as numbers, beside that of the model it was made from. */
export async function weights(
  core: Core,
  { model, layer, against }: WeightsRequest,
  signal?: AbortSignal,
): Promise<Weights> {
  const manifest = await openModel(core, model, { signal });
  const other = await otherOf(core, manifest, against, signal);
  const asked = {
    layer,
    folder: manifest.record.folder,
    against: other?.record.folder ?? null,
    threads: core.settings().threads,
  };
  const { difference, ...facts } = await core.supervisor.ask(
    refOf(manifest),
    (client) => client.compare.weights(asked, signal ? { signal } : {}),
    signal,
  );
  return {
    ...facts,
    difference: difference && other && { model: other.record.name, ...difference },
  };
}

/** The model to compare with: the one asked for, else the one that a variant was made from. */
async function otherOf(
  core: Core,
  { record }: Manifest,
  against: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Manifest | null> {
  if (against !== undefined) return openModel(core, against, { signal });
  const { parent } = record;
  const isThere = parent !== null && (await listModels(core)).some(({ name }) => name === parent);
  return isThere ? openModel(core, parent, { signal }) : null;
}
