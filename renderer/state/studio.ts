import type { StoreApi } from 'zustand/vanilla';
import type { EngineConnection } from '../engine/connection.ts';
import type { EngineEvent, ModelRecord, Recipe } from '../../preload/contract/index.ts';
import { createAttribution, type AttributionStore } from './attribution.ts';
import { canStart, createBench, type Bench } from './bench.ts';
import { createCompare, type Compare } from './compare.ts';
import { createConnection, type ConnectionStatus } from './connection.ts';
import { createDifference, type DifferenceStore } from './difference.ts';
import { createDraft, requestOf, type DraftStore } from './draft.ts';
import { createExports, type Exports } from './exports.ts';
import { createGeneration, type Frame, type Generation } from './generation.ts';
import { createHistory, type History } from './history.ts';
import { createInspect, type Inspect } from './inspect.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createMeasurements, type Measurements } from './measurements.ts';
import type { Memory } from './memory.ts';
import { createModelColors, type ModelColors } from './modelColors.ts';
import { createModels, modelKey, type Models } from './models.ts';
import { createNavigation, type Navigation } from './navigation.ts';
import { createPresets, type Presets } from './presets.ts';
import { createPrice, type Price } from './price.ts';
import { createRecipe, recipesToRun, type RecipeEditor } from './recipe.ts';
import { writtenPrompt } from './run.ts';
import { createRunners, type Runners } from './runners.ts';
import { createSettings, type SettingsStore } from './settings.ts';
import { createTextDivergence, type TextDivergence } from './textDivergence.ts';
import { createTokenizer, type TokenizerStore } from './tokenizer.ts';
import { createWeights, type WeightsStore } from './weights.ts';

/** What the page around the studio can do; the browser shell has no folder dialog. */
export interface Host {
  readonly mac: boolean;
  readonly chooseFolder: (() => Promise<string | null>) | null;
  openExternal(url: string): void;
  copy(text: string): Promise<void>;
}

/** All state of the window, and what joins its parts. Works without React. */
export interface Studio {
  readonly host: Host;
  readonly connection: StoreApi<ConnectionStatus>;
  readonly navigation: Navigation;
  readonly draft: DraftStore;
  readonly generation: Generation;
  readonly history: History;
  readonly presets: Presets;
  readonly models: Models;
  readonly exports: Exports;
  readonly settings: SettingsStore;
  readonly runners: Runners;
  readonly recipe: RecipeEditor;
  readonly jobs: Jobs;
  readonly inspect: Inspect;
  readonly attribution: AttributionStore;
  readonly difference: DifferenceStore;
  readonly tokenizer: TokenizerStore;
  readonly weights: WeightsStore;
  readonly colors: ModelColors;
  readonly price: Price;
  readonly measurements: Measurements;
  readonly compare: Compare;
  readonly textDivergence: TextDivergence;
  readonly bench: Bench;
  /** Runs the draft. Does nothing while it is not complete. */
  run(): Promise<void>;
  /** Shows a run of the history with the prompt and settings it had. */
  reopen(id: string): Promise<void>;
  /** Opens a model in the playground. */
  tryModel(key: string): void;
  /** Opens a model where it is looked into. */
  inspectModel(key: string): void;
  /** Looks into the run of the playground: its prompt with what the model wrote. */
  inspectRun(): void;
  /** Opens two models where they are compared, on this text or the one that is there. */
  inspectPair(base: string, variant: string, text?: string): void;
  /** Opens a recipe for a model where it is cut down; the call it gives back takes both back. */
  takeRecipe(model: string, taken: Recipe): () => void;
  /** Opens a model where it is cut down. */
  compressModel(key: string): void;
  /** Shows a model in the library. */
  showModel(key: string): void;
  /** Queues the recipe, or every recipe of the sweep. Does nothing while it is not complete. */
  runRecipe(): Promise<void>;
  /** Opens a model where its speed is measured. */
  benchModel(key: string): void;
  /** Queues the measurement. Does nothing while it is not complete. */
  runBench(): Promise<void>;
  close(): void;
}

export interface StudioOptions {
  readonly host: Host;
  readonly memory: Memory;
  readonly frame: Frame;
}

/** Builds the studio over a connection and loads everything whenever the engine comes up. */
export function createStudio(engine: EngineConnection, options: StudioOptions): Studio {
  const { client } = engine;
  const { host, memory, frame } = options;
  const draft = createDraft(memory);
  const generation = createGeneration(client, frame);
  const history = createHistory(client);
  const models = createModels(client);
  const exports = createExports(client);
  const navigation = createNavigation(memory);
  const presets = createPresets(client);
  const runners = createRunners(client);
  const settings = createSettings(client, memory);
  const recipe = createRecipe(client, memory);
  const jobs = createJobs(client);
  const inspect = createInspect(client, memory);
  const attribution = createAttribution(client);
  const difference = createDifference(client);
  const tokenizer = createTokenizer(client);
  const weights = createWeights(client);
  const colors = createModelColors(memory);
  const price = createPrice(memory);
  const measurements = createMeasurements(client);
  const compare = createCompare(memory);
  const textDivergence = createTextDivergence(client);
  const bench = createBench(measurements, jobs, memory);
  let closed = false;

  models.store.subscribe(({ models: known }) => {
    if (!known) return;
    const embedded = known.find(({ source }) => source === 'embedded') ?? known[0];
    const standard = embedded ? modelKey(embedded) : null;
    const orStandard = (model: string | null): string | null =>
      known.some((record) => modelKey(record) === model) ? model : standard;
    const tried = draft.store.getState().model;
    if (orStandard(tried) !== tried) draft.change({ model: standard });
    const cut = recipe.store.getState().model;
    if (orStandard(cut) !== cut) recipe.setModel(standard);
    const inspected = inspect.store.getState().model;
    if (orStandard(inspected) !== inspected) inspect.setModel(standard);
    bench.adopt(known);
    compareWith(known);
  });
  /** What is compared goes with the model that is looked into, and with what there is. */
  const compareWith = (known: readonly ModelRecord[]): void => {
    const { model } = inspect.store.getState();
    difference.adopt(model, known);
    tokenizer.adopt(model, known);
    weights.adopt(known);
  };
  inspect.store.subscribe(({ model }, before) => {
    if (model !== before.model) compareWith(models.store.getState().models ?? []);
  });

  const onEvent = async (event: EngineEvent): Promise<void> => {
    switch (event.kind) {
      case 'runner':
        return runners.told(event.state);
      case 'models-changed':
        return models.load();
      case 'runs-changed':
        return history.load();
      case 'jobs-changed':
        return jobs.load();
      case 'measurements-changed':
        return measurements.load();
    }
  };
  /** Ends with the link that carries it; the next `up` listens anew. */
  const listen = async (): Promise<void> => {
    for await (const event of await client.system.events()) {
      if (closed) return;
      void onEvent(event);
    }
  };
  const loadAll = async (): Promise<void> => {
    // Each of these shows its own failure; a link that breaks meanwhile is shown by `connection`.
    await Promise.allSettled([
      settings.load(),
      models.load(),
      history.load(),
      presets.load(),
      runners.load(),
      recipe.load(),
      jobs.load(),
      measurements.load(),
      listen(),
    ]);
  };
  const unsubscribe = engine.subscribe(({ kind }) => {
    if (kind === 'ready') void loadAll();
  });
  if (engine.state().kind === 'ready') void loadAll();

  return {
    host,
    connection: createConnection(engine),
    navigation,
    draft,
    generation,
    history,
    presets,
    models,
    exports,
    settings,
    runners,
    recipe,
    jobs,
    inspect,
    attribution,
    difference,
    tokenizer,
    weights,
    colors,
    price,
    measurements,
    compare,
    textDivergence,
    bench,
    async run() {
      const request = requestOf(draft.store.getState());
      navigation.go('playground');
      if (request) await generation.start(request);
    },
    async reopen(id) {
      const run = await history.get(id);
      draft.restore(run.request);
      generation.reopen(run);
      navigation.go('playground');
    },
    tryModel(key) {
      draft.change({ model: key });
      navigation.go('playground');
    },
    inspectModel(key) {
      inspect.setModel(key);
      navigation.go('inspect');
    },
    inspectRun() {
      const state = generation.store.getState();
      if (state.kind === 'idle') return;
      inspect.setModel(state.run.request.model);
      inspect.setPrompt(writtenPrompt(state.run));
      navigation.go('inspect');
    },
    inspectPair(base, variant, text) {
      inspect.setModel(variant);
      difference.change({ base, variant });
      if (text !== undefined) inspect.setPrompt({ kind: 'completion', text });
      inspect.setTab('difference');
      navigation.go('inspect');
    },
    takeRecipe(model, taken) {
      const before = recipe.store.getState().model;
      const back = recipe.choose(taken);
      recipe.setModel(model);
      navigation.go('compress');
      return () => {
        back();
        recipe.setModel(before);
      };
    },
    compressModel(key) {
      recipe.setModel(key);
      navigation.go('compress');
    },
    showModel(key) {
      models.select(key);
      navigation.go('library');
    },
    async runRecipe() {
      const state = recipe.store.getState();
      const recipes = recipesToRun(state);
      navigation.go('compress');
      if (state.model !== null && recipes.length > 0) await jobs.start(state.model, recipes);
    },
    benchModel(key) {
      bench.change({ models: [key] });
      navigation.go('bench');
    },
    async runBench() {
      navigation.go('bench');
      if (canStart(bench.store.getState(), models.store.getState().models ?? []))
        await bench.start();
    },
    close() {
      closed = true;
      jobs.close();
      unsubscribe();
      generation.stop();
      inspect.cancel();
      attribution.cancel();
      difference.cancel();
      difference.cancelBlame();
      tokenizer.cancel();
      exports.cancel();
      textDivergence.stop();
      engine.close();
    },
  };
}
