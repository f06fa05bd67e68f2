import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  CompressEstimate,
  EngineClient,
  Recipe,
  RecipeRecord,
} from '../../preload/contract/index.ts';
import { toFailure, type Failure } from './failure.ts';
import { readStored, type Memory } from './memory.ts';
import { isTargets, optionsOf, sameValue } from './passOptions.ts';
import {
  readRecipe,
  shortRecipe,
  writeRecipe,
  type RecipeDraft,
  type RecipeReading,
} from './recipeText.ts';
import type { Edit } from './recipeEdits.ts';
import { sweepRecipes, type SweepAxis } from './sweep.ts';

const firstDraft: RecipeDraft = {
  name: 'int4-rtn',
  description: 'Every matrix of the blocks to 4 bit by rounding; needs no data.',
  passes: [{ pass: 'quantize-rtn' }],
};

export interface RecipeState {
  /** Key of the model to compress, see `modelKey`. */
  readonly model: string | null;
  /** The one source of truth: form and editor both show it. */
  readonly text: string;
  /** What the text says; made anew with every change of it. */
  readonly reading: RecipeReading;
  /** Index of the pass whose targets are shown. */
  readonly step: number;
  readonly view: 'form' | 'json';
  readonly axes: readonly SweepAxis[];
  /** Recipes that can be chosen: shipped ones first. */
  readonly recipes: readonly RecipeRecord[];
  readonly failure: Failure | null;
}

export interface RecipeEditor {
  readonly store: StoreApi<RecipeState>;
  load(): Promise<void>;
  setModel(key: string | null): void;
  setText(text: string): void;
  /** Changes the recipe as the form does; nothing while the text cannot be read. */
  edit(change: Edit): void;
  /** Takes another recipe; the call it gives back takes the former one again. */
  choose(recipe: Recipe): () => void;
  selectStep(step: number): void;
  setView(view: RecipeState['view']): void;
  setAxes(axes: readonly SweepAxis[]): void;
  /** Keeps the recipe under its name. */
  save(): Promise<void>;
  /** Deletes one of the user's recipes; the call it gives back brings it back. */
  remove(name: string): Promise<() => Promise<void>>;
  estimate(model: string, recipe: Recipe, signal: AbortSignal): Promise<CompressEstimate>;
}

/** The recipe in the window, and those it can be chosen from. */
export function createRecipe(client: EngineClient, memory: Memory): RecipeEditor {
  const stored = readStored<Pick<RecipeState, 'model' | 'text' | 'view'>>(memory, 'recipe');
  const text = typeof stored.text === 'string' ? stored.text : writeRecipe(firstDraft);
  const store = createStore<RecipeState>(() => ({
    model: stored.model ?? null,
    text,
    reading: readRecipe(text, firstDraft),
    step: 0,
    view: stored.view === 'json' ? 'json' : 'form',
    axes: [],
    recipes: [],
    failure: null,
  }));
  store.subscribe(({ model, text: kept, view }) =>
    memory.write('recipe', { model, text: kept, view }),
  );

  const setText = (next: string): void =>
    store.setState(({ reading, step, axes }) => {
      const read = readRecipe(next, reading.draft);
      const { passes } = read.draft;
      return {
        text: next,
        reading: read,
        step: Math.max(0, Math.min(step, passes.length - 1)),
        // An axis means an option of the pass that stood there when it was chosen.
        axes: axes.filter(
          (axis) => passes[axis.step]?.pass === reading.draft.passes[axis.step]?.pass,
        ),
      };
    });
  const choose = (recipe: Recipe): (() => void) => {
    const { text: before, axes } = store.getState();
    setText(writeRecipe(shortRecipe(recipe)));
    // Most recipes begin with a pass that has nothing to choose.
    const { passes } = store.getState().reading.draft;
    const step = passes.findIndex(({ pass }) => optionsOf(pass).some(isTargets));
    store.setState({ step: Math.max(0, step), axes: [] });
    return () => {
      setText(before);
      store.setState({ axes });
    };
  };
  const load = async (): Promise<void> => {
    try {
      const recipes = await client.recipes.list();
      store.setState({ recipes, failure: null });
      const shipped = recipes.find(({ recipe }) => recipe.name === firstDraft.name);
      // What nobody has touched yet is the shipped recipe of this name.
      if (shipped && store.getState().text === writeRecipe(firstDraft)) choose(shipped.recipe);
    } catch (error) {
      store.setState({ failure: toFailure(error) });
    }
  };

  return {
    store,
    load,
    setModel: (model) => store.setState({ model }),
    setText,
    edit(change) {
      const { reading } = store.getState();
      if (reading.kind !== 'unreadable') setText(writeRecipe(change(reading.draft)));
    },
    choose,
    selectStep: (step) => store.setState({ step }),
    setView: (view) => store.setState({ view }),
    setAxes: (axes) => store.setState({ axes }),
    async save() {
      const { reading } = store.getState();
      if (reading.kind !== 'right') return;
      await client.recipes.save(reading.recipe);
      await load();
    },
    async remove(name) {
      const record = store.getState().recipes.find(({ recipe }) => recipe.name === name);
      await client.recipes.remove({ name });
      await load();
      return async () => {
        if (record) await client.recipes.save(record.recipe);
        await load();
      };
    },
    estimate: (model, recipe, signal) => client.compress.estimate({ model, recipe }, { signal }),
  };
}

/** The recipe of the list that the text is equal to, if any. */
export const recordOf = ({ reading, recipes }: RecipeState): RecipeRecord | undefined =>
  reading.kind === 'right'
    ? recipes.find(({ recipe }) => sameValue(recipe, reading.recipe))
    : undefined;

/** What Run would run: one recipe, or one for every point of the sweep; none while it is wrong. */
export function recipesToRun({ reading, axes }: RecipeState): readonly Recipe[] {
  if (reading.kind !== 'right') return [];
  try {
    return sweepRecipes(reading.draft, axes);
  } catch {
    // A value along an axis that the option does not take: the field beside it says so.
    return [];
  }
}
