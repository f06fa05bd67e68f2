import { implement, type Router } from '@orpc/server';
import { contract } from '../../preload/contract/index.ts';
import { estimateRecipe, linears, variantReport } from './compress.ts';
import { refOf } from './core.ts';
import { typedErrors } from './errors.ts';
import { exportModel } from './export.ts';
import { generate } from './generate.ts';
import { importModel } from './import.ts';
import { inspectRouter } from './inspect/router.ts';
import type { Jobs } from './jobs/jobs.ts';
import { benchJobs, compressJobs, evaluateJobs } from './jobs/start.ts';
import { graphFacts, memory, modelFacts } from './models.ts';
import { listModels, openModel } from './openModel.ts';
import type { Workshop } from './ownRunner.ts';
import { sweepJobs } from './sweep.ts';
import { listFolders, systemInfo } from './system.ts';

/** Answers the contract; needs no context from its shell. */
export type EngineRouter = Router<typeof contract, Record<string, unknown>>;

/** The contract, answered. */
export function createRouter(workshop: Workshop, jobs: Jobs): EngineRouter {
  const { core } = workshop;
  const { library, supervisor } = core;
  const os = implement(contract).use(typedErrors);
  return os.router({
    system: {
      info: os.system.info.handler(() => systemInfo(core)),
      settings: os.system.settings.handler(() => library.settings.read()),
      saveSettings: os.system.saveSettings.handler(({ input }) => library.settings.save(input)),
      events: os.system.events.handler(({ signal }) => core.events.subscribe('event', { signal })),
      folders: os.system.folders.handler(({ input }) => listFolders(input.path)),
    },
    models: {
      list: os.models.list.handler(() => listModels(core)),
      import: os.models.import.handler(({ input, signal }) => importModel(core, input, signal)),
      export: os.models.export.handler(({ input, signal }) => exportModel(workshop, input, signal)),
      facts: os.models.facts.handler(({ input, signal }) => modelFacts(core, input, signal)),
      tensors: os.models.tensors.handler(async ({ input, signal }) => {
        const manifest = await openModel(core, input.model, { signal });
        const { folder } = manifest.record;
        return supervisor.ask(refOf(manifest), (client) => client.tensors({ folder }), signal);
      }),
      graph: os.models.graph.handler(({ input, signal }) => graphFacts(core, input, signal)),
      memory: os.models.memory.handler(({ input, signal }) => memory(core, input, signal)),
      remove: os.models.remove.handler(({ input }) => {
        supervisor.unload(input.model);
        const trashId = library.models.remove(input.model);
        core.tell({ kind: 'models-changed' });
        return { trashId };
      }),
      restore: os.models.restore.handler(({ input }) => {
        const { record } = library.models.restore(input.trashId);
        core.tell({ kind: 'models-changed' });
        return record;
      }),
      report: os.models.report.handler(({ input, signal }) => variantReport(core, input, signal)),
      linears: os.models.linears.handler(({ input, signal }) => linears(core, input, signal)),
    },
    compress: {
      start: os.compress.start.handler(async ({ input, signal }) => ({
        ids: jobs.add(await compressJobs(core, input, signal)),
      })),
      estimate: os.compress.estimate.handler(({ input, signal }) =>
        estimateRecipe(core, input, signal),
      ),
    },
    jobs: {
      list: os.jobs.list.handler(() => jobs.list()),
      get: os.jobs.get.handler(({ input }) => jobs.get(input.id)),
      watch: os.jobs.watch.handler(({ input, signal }) => jobs.watch(input.id, signal)),
      cancel: os.jobs.cancel.handler(({ input }) => jobs.cancel(input.id)),
      resume: os.jobs.resume.handler(({ input }) => jobs.resume(input.id)),
      remove: os.jobs.remove.handler(({ input }) => jobs.remove(input.id)),
    },
    recipes: {
      list: os.recipes.list.handler(() => library.recipes.list()),
      save: os.recipes.save.handler(({ input }) => library.recipes.save(input)),
      remove: os.recipes.remove.handler(({ input }) => library.recipes.remove(input.name)),
    },
    runners: {
      list: os.runners.list.handler(() => supervisor.states()),
      unload: os.runners.unload.handler(({ input }) => supervisor.unload(input.model)),
    },
    tokenize: os.tokenize.handler(async ({ input, signal }) => {
      const manifest = await openModel(core, input.model, { signal });
      const request = { folder: manifest.record.folder, prompt: input.prompt };
      return supervisor.ask(refOf(manifest), (client) => client.tokenize(request), signal);
    }),
    generate: os.generate.handler(({ input, signal }) => generate(core, input, signal)),
    runs: {
      list: os.runs.list.handler(({ input }) => library.runs.list(input)),
      get: os.runs.get.handler(({ input }) => library.runs.get(input.id)),
      remove: os.runs.remove.handler(({ input }) => {
        library.runs.remove(input.id);
        core.tell({ kind: 'runs-changed' });
      }),
    },
    presets: {
      list: os.presets.list.handler(() => library.presets.list()),
      save: os.presets.save.handler(({ input }) => library.presets.save(input)),
      remove: os.presets.remove.handler(({ input }) => library.presets.remove(input.name)),
    },
    evaluations: {
      start: os.evaluations.start.handler(async ({ input, signal }) => ({
        ids: jobs.add(await evaluateJobs(core, input.requests, signal)),
      })),
      list: os.evaluations.list.handler(({ input }) => library.evaluations.list(input)),
      remove: os.evaluations.remove.handler(({ input }) => {
        library.evaluations.remove(input.id);
        core.tell({ kind: 'measurements-changed' });
      }),
    },
    benches: {
      start: os.benches.start.handler(async ({ input, signal }) => ({
        ids: jobs.add(await benchJobs(core, input.requests, signal)),
      })),
      list: os.benches.list.handler(({ input }) => library.benches.list(input)),
      samples: os.benches.samples.handler(({ input }) => library.benches.samples(input.id)),
      remove: os.benches.remove.handler(({ input }) => {
        library.benches.remove(input.id);
        core.tell({ kind: 'measurements-changed' });
      }),
    },
    sweep: os.sweep.handler(async ({ input, signal }) => ({
      ids: jobs.add(await sweepJobs(core, input, signal)),
    })),
    inspect: inspectRouter(workshop),
  });
}
