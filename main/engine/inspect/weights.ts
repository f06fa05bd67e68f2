import type { Weights, WeightsRequest } from '../../../preload/contract/inspect/index.ts';
import type { Manifest } from '../../library/manifest.ts';
import { refOf, type Core } from '../core.ts';
import { listModels, openModel } from '../openModel.ts';
import type { LayerFacts, LayerRequest } from '../runner/inspect/compareContract.ts';
import type { Job, ModelRef } from '../runner/supervisor.ts';

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
  const { difference, ...facts } = await factsOf(core, refOf(manifest), asked, signal);
  return {
    ...facts,
    difference: difference && other && { model: other.record.name, ...difference },
  };
}

/** Has its turn like any run: large matrices take a while. */
async function factsOf(
  core: Core,
  ref: ModelRef,
  asked: LayerRequest,
  signal: AbortSignal | undefined,
): Promise<LayerFacts> {
  const work = (job: Job) =>
    job.stream('evaluating', (client) => client.compare.weights(asked), signal);
  for await (const event of core.supervisor.run(ref, work, signal)) {
    if (event.kind === 'done') return event.result;
  }
  throw new Error('a runner ended an answer without giving it');
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
