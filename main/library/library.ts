import { benchStore, type BenchStore } from './benches.ts';
import { openDatabase } from './database.ts';
import { evaluationStore, type EvaluationStore } from './evaluations.ts';
import { placing } from './folders.ts';
import { hashCache, type HashCache } from './hashes.ts';
import { openHome, type Home } from './home.ts';
import { jobStore, type JobStore } from './jobs.ts';
import { modelStore, type ModelStore } from './models.ts';
import { presetStore, type PresetStore } from './presets.ts';
import { recipeStore, type RecipeStore } from './recipes.ts';
import { runStore, type RunStore } from './runs.ts';
import { settingsStore, type SettingsStore } from './settings.ts';

/** Everything Lathe keeps on the disk. */
export interface Library {
  readonly home: Home;
  readonly models: ModelStore;
  readonly hashes: HashCache;
  readonly runs: RunStore;
  readonly presets: PresetStore;
  readonly recipes: RecipeStore;
  readonly jobs: JobStore;
  readonly evaluations: EvaluationStore;
  readonly benches: BenchStore;
  readonly settings: SettingsStore;
  close(): void;
}

/**
 * Opens (or makes) the library in a folder; several processes may have it open at once. Throws
 * `path_refused` or `disk_full` where it cannot be written.
 */
export function openLibrary(options: {
  root: string;
  resources: string;
  /** Told when something was wrong and could be repaired. */
  warn: (message: string) => void;
}): Library {
  const home = placing(options.root, () => openHome(options.root));
  const database = openDatabase(home.database, options.warn);
  return {
    home,
    models: modelStore(home, database, options.resources, options.warn),
    hashes: hashCache(database),
    runs: runStore(database),
    presets: presetStore(database, options.resources),
    recipes: recipeStore(database, options.resources),
    jobs: jobStore(home, database),
    evaluations: evaluationStore(database),
    benches: benchStore(database),
    settings: settingsStore(database),
    close: () => database.close(),
  };
}
