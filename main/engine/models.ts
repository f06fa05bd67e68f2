import type {
  GraphFacts,
  GraphForm,
  MemoryEstimate,
  ModelFacts,
} from '../../preload/contract/models.ts';
import { hashAll, inspect, openModel } from './openModel.ts';
import { refOf, type Core } from './core.ts';
import { modelFiles } from '../library/modelFiles.ts';
import { estimateMemory } from './memory.ts';

/** Everything about a model that its files say. */
export async function modelFacts(
  core: Core,
  request: { model: string; context?: number | undefined },
  signal?: AbortSignal,
): Promise<ModelFacts> {
  const manifest = await openModel(core, request.model, { signal });
  const { record } = manifest;
  const inspection = await inspect(core, record.folder, record.name, signal);
  return {
    record,
    config: inspection.config,
    files: await hashAll(core, record.folder, modelFiles(record.folder), { signal }),
    card: inspection.card,
    chatTemplate: inspection.chatTemplate,
    memory: memoryOf(core, manifest, request.context),
  };
}

/** What running a model takes with so much context; its longest when not said. */
export async function memory(
  core: Core,
  request: { model: string; context?: number | undefined },
  signal?: AbortSignal,
): Promise<MemoryEstimate> {
  return memoryOf(core, await openModel(core, request.model, { signal }), request.context);
}

/** The graph that is built from a model, in numbers; it is built now when it is not there. */
export async function graphFacts(
  core: Core,
  request: { model: string; form: GraphForm },
  signal?: AbortSignal,
): Promise<GraphFacts> {
  const manifest = await openModel(core, request.model, { signal });
  const { folder, sha256 } = manifest.record;
  const source = { folder, weights: sha256, form: request.form, graphs: core.library.home.graphs };
  return core.supervisor.ask(refOf(manifest), (client) => client.graph(source), signal);
}

function memoryOf(
  core: Core,
  manifest: Parameters<typeof estimateMemory>[0],
  context = manifest.record.contextLength,
): MemoryEstimate {
  const { memoryLimitBytes } = core.settings();
  return estimateMemory(
    manifest,
    Math.min(context, manifest.record.contextLength),
    memoryLimitBytes,
  );
}
