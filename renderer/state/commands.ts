import { canStart } from './bench.ts';
import { samplePrompts } from './draft.ts';
import { isCapturing, type InspectTab } from './inspect.ts';
import { modelKey } from './models.ts';
import { views, type ViewName } from './navigation.ts';
import { isRunning } from './run.ts';
import { textOf } from './tokens.ts';
import type { Shortcut } from './shortcuts.ts';
import type { Studio } from './studio.ts';

/** Something the user can do, by palette, key or button. */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: 'Run' | 'Go to' | 'Show' | 'Model' | 'Preset' | 'Recipe' | 'Example';
  readonly shortcut?: Shortcut;
  readonly run: () => void;
}

export const viewTitles: Readonly<Record<ViewName, string>> = {
  library: 'Library',
  playground: 'Playground',
  inspect: 'Inspect',
  compress: 'Compress',
  compare: 'Compare',
  bench: 'Bench',
  settings: 'Settings',
};

/** The tabs of Inspect that show a capture. */
const capturedTabs: ReadonlySet<InspectTab> = new Set(['attention', 'lens']);

export const paletteShortcut: Shortcut = { key: 'k', mod: true };

/** Everything that can be done now: what cannot is left out. */
export function commandsOf(studio: Studio): Command[] {
  return [
    ...runCommands(studio),
    ...goCommands(studio),
    ...showCommands(studio),
    ...choiceCommands(studio),
  ];
}

function runCommands(studio: Studio): Command[] {
  const { bench, generation, draft, host, inspect, models, navigation, recipe } = studio;
  const state = generation.store.getState();
  const runShortcut: Shortcut = { key: 'Enter', mod: true };
  // The key runs what is in view.
  const { view } = navigation.store.getState();
  const isCompress = view === 'compress';
  const isBench = view === 'bench';
  const isCaptured = view === 'inspect' && capturedTabs.has(inspect.store.getState().tab);
  const commands: Command[] = [
    {
      id: 'run',
      title: 'Run the prompt',
      group: 'Run',
      ...(!isCompress && !isBench && view !== 'inspect' && { shortcut: runShortcut }),
      run: () => void studio.run(),
    },
  ];
  if (recipe.store.getState().reading.kind === 'right') {
    commands.push({
      id: 'run-recipe',
      title: 'Run the recipe',
      group: 'Run',
      ...(isCompress && { shortcut: runShortcut }),
      run: () => void studio.runRecipe(),
    });
  }
  if (canStart(bench.store.getState(), models.store.getState().models ?? [])) {
    commands.push({
      id: 'run-bench',
      title: 'Measure the speed',
      group: 'Run',
      ...(isBench && { shortcut: runShortcut }),
      run: () => void studio.runBench(),
    });
  }
  if ((models.store.getState().models?.length ?? 0) > 0) {
    commands.push({
      id: 'measure',
      title: 'Measure models to compare them',
      group: 'Run',
      run: () => {
        navigation.go('compare');
        studio.compare.openMeasure([...studio.compare.store.getState().selected]);
      },
    });
  }
  if (inspect.store.getState().model !== null) {
    commands.push({
      id: 'capture',
      title: 'Capture the prompt to look inside',
      group: 'Run',
      ...(isCaptured && { shortcut: runShortcut }),
      run: () => {
        navigation.go('inspect');
        void inspect.capture();
      },
    });
  }
  const { tab } = inspect.store.getState();
  if (view === 'inspect' && tab === 'difference') {
    commands.push({
      id: 'compare-pair',
      title: 'Compare the two models on the prompt',
      group: 'Run',
      shortcut: runShortcut,
      run: () => void studio.difference.run(inspect.store.getState().prompt),
    });
  }
  if (view === 'inspect' && tab === 'attribution') {
    commands.push({
      id: 'attribute',
      title: 'Attribute the next token to the prompt',
      group: 'Run',
      shortcut: runShortcut,
      run: () => {
        const { model, prompt } = inspect.store.getState();
        if (model !== null) void studio.attribution.run(model, prompt);
      },
    });
  }
  const stopLooking = view === 'inspect' ? lookingOf(studio) : null;
  if (stopLooking) {
    commands.push({
      id: 'stop-looking',
      title: 'Stop looking inside',
      group: 'Run',
      shortcut: { key: 'Escape' },
      run: stopLooking,
    });
  }
  if (isRunning(state)) {
    commands.push({
      id: 'stop',
      title: 'Stop',
      group: 'Run',
      ...(!stopLooking && { shortcut: { key: 'Escape' } }),
      run: () => generation.stop(),
    });
  }
  if (state.kind === 'finished' || state.kind === 'failed') {
    commands.push(
      {
        id: 'inspect-run',
        title: 'Look inside the run',
        group: 'Run',
        run: () => studio.inspectRun(),
      },
      { id: 'again', title: 'Run again', group: 'Run', run: () => void generation.again() },
      {
        id: 'copy',
        title: 'Copy the output',
        group: 'Run',
        run: () => void host.copy(textOf(state.run.blocks)),
      },
      { id: 'clear', title: 'Clear the output', group: 'Run', run: () => generation.clear() },
    );
  }
  commands.push({
    id: 'new',
    title: 'Start an empty prompt',
    group: 'Run',
    run: () => {
      generation.clear();
      draft.change({ text: '', messages: [{ role: 'user', content: '' }] });
      studio.navigation.go('playground');
    },
  });
  return commands;
}

/** What ends the work that the view waits for; null where it waits for none. */
function lookingOf({ inspect, difference, attribution, tokenizer }: Studio): (() => void) | null {
  const { comparison, blame } = difference.store.getState();
  const { tab } = inspect.store.getState();
  if (capturedTabs.has(tab) && isCapturing(inspect.store.getState())) return () => inspect.cancel();
  if (tab === 'difference' && comparison.kind === 'working') return () => difference.cancel();
  if (tab === 'difference' && blame.kind === 'searching') return () => difference.cancelBlame();
  if (tab === 'attribution' && attribution.store.getState().attribution.kind === 'working')
    return () => attribution.cancel();
  if (tab === 'tokenizer' && tokenizer.store.getState().losses.kind === 'working')
    return () => tokenizer.cancel();
  return null;
}

const goCommands = ({ navigation }: Studio): Command[] =>
  views.map((view, index) => ({
    id: `go-${view}`,
    title: viewTitles[view],
    group: 'Go to',
    shortcut: { key: String(index + 1), mod: true },
    run: () => navigation.go(view),
  }));

const showCommands = ({ navigation, settings }: Studio): Command[] => [
  {
    id: 'folder',
    title: 'Open folder…',
    group: 'Model',
    shortcut: { key: 'o', mod: true },
    run: () => navigation.open('folder'),
  },
  { id: 'history', title: 'History', group: 'Show', run: () => navigation.toggleHistory() },
  {
    id: 'colors',
    title: 'Token probabilities as colours',
    group: 'Show',
    run: () => navigation.toggleColored(),
  },
  ...(['system', 'light', 'dark'] as const).map((theme): Command => ({
    id: `theme-${theme}`,
    title:
      theme === 'system' ? 'Theme of the system' : `${theme === 'light' ? 'Light' : 'Dark'} theme`,
    group: 'Show',
    run: () => void settings.save({ theme }),
  })),
  {
    id: 'shortcuts',
    title: 'Keyboard shortcuts',
    group: 'Show',
    shortcut: { key: '/', mod: true },
    run: () => navigation.open('shortcuts'),
  },
];

function choiceCommands(studio: Studio): Command[] {
  const models = studio.models.store.getState().models ?? [];
  const { presets } = studio.presets.store.getState();
  const { recipes } = studio.recipe.store.getState();
  return [
    ...models.map((model): Command => ({
      id: `model-${modelKey(model)}`,
      title: `Use ${model.name}`,
      group: 'Model',
      run: () => studio.tryModel(modelKey(model)),
    })),
    ...models.map((model): Command => ({
      id: `inspect-${modelKey(model)}`,
      title: `Look inside ${model.name}`,
      group: 'Model',
      run: () => studio.inspectModel(modelKey(model)),
    })),
    ...models.flatMap((model): Command[] => {
      const parent = models.find(({ name }) => name === model.parent);
      if (!parent) return [];
      return [
        {
          id: `pair-${modelKey(model)}`,
          title: `Compare ${model.name} with its parent`,
          group: 'Model',
          run: () => studio.inspectPair(modelKey(parent), modelKey(model)),
        },
      ];
    }),
    ...models.map((model): Command => ({
      id: `compress-${modelKey(model)}`,
      title: `Compress ${model.name}`,
      group: 'Model',
      run: () => studio.compressModel(modelKey(model)),
    })),
    ...models.map((model): Command => ({
      id: `bench-${modelKey(model)}`,
      title: `Measure the speed of ${model.name}`,
      group: 'Model',
      run: () => studio.benchModel(modelKey(model)),
    })),
    ...recipes.map(({ recipe }): Command => ({
      id: `recipe-${recipe.name}`,
      title: `Take the recipe ${recipe.name}`,
      group: 'Recipe',
      run: () => {
        studio.recipe.choose(recipe);
        studio.navigation.go('compress');
      },
    })),
    ...presets.map((preset): Command => ({
      id: `preset-${preset.name}`,
      title: `Apply ${preset.name}`,
      group: 'Preset',
      run: () => studio.draft.apply(preset),
    })),
    ...samplePrompts.map(({ title, text }): Command => ({
      id: `sample-${title}`,
      title,
      group: 'Example',
      run: () => {
        studio.draft.change({ mode: 'completion', text });
        studio.navigation.go('playground');
      },
    })),
  ];
}
