import { createStore, type StoreApi } from 'zustand/vanilla';
import type { BenchRecord, JobSummary, ModelRecord } from '../../preload/contract/index.ts';
import { chosenModels, problemsOf, readSetup, requestsOf, type BenchSetup } from './benchSetup.ts';
import type { Jobs, JobsState } from './jobs.ts';
import type { Measurements } from './measurements.ts';
import { readStored, type Memory } from './memory.ts';
import { modelKey } from './models.ts';

/** As many measurements as can be read beside each other. */
export const mostShown = 4;

export type BenchSummary = Extract<JobSummary, { kind: 'bench' }>;

export interface BenchState {
  readonly setup: BenchSetup;
  /** The jobs that were queued together last. */
  readonly batch: readonly string[];
  /** Measurements that are shown, the first chosen first; null: what the last jobs gave. */
  readonly chosen: readonly number[] | null;
}

export interface Bench {
  readonly store: StoreApi<BenchState>;
  change(part: Partial<BenchSetup>): void;
  /** Leaves out models that are gone; where none is left, takes the embedded one or the first. */
  adopt(known: readonly ModelRecord[]): void;
  /** Queues one job per model and shows what they give. */
  start(): Promise<void>;
  /** Takes a measurement to those shown or out of them; the oldest choice makes room. */
  toggle(id: number, shown: readonly number[]): void;
  /** Shows one measurement alone. */
  show(id: number): void;
}

/** What is to be measured next, and which measurements are looked at. */
export function createBench(measurements: Measurements, jobs: Jobs, memory: Memory): Bench {
  const store = createStore<BenchState>(() => ({
    setup: readSetup(readStored<BenchSetup>(memory, 'bench')),
    batch: [],
    chosen: null,
  }));
  const change = (part: Partial<BenchSetup>): void => {
    store.setState(({ setup }) => ({ setup: { ...setup, ...part } }));
    memory.write('bench', store.getState().setup);
  };
  return {
    store,
    change,
    adopt(known) {
      const { setup } = store.getState();
      const left = chosenModels(setup, known);
      if (left.length > 0 && left.length === setup.models.length) return;
      const standard = known.find(({ source }) => source === 'embedded') ?? known[0];
      change({ models: (left.length > 0 || !standard ? left : [standard]).map(modelKey) });
    },
    async start() {
      const batch = await measurements.bench(requestsOf(store.getState().setup));
      if (batch.length === 0) return;
      store.setState({ batch, chosen: null });
      await jobs.load();
    },
    toggle(id, shown) {
      const chosen = shown.includes(id)
        ? shown.filter((other) => other !== id)
        : [...shown, id].slice(-mostShown);
      store.setState({ chosen });
    },
    show: (id) => store.setState({ chosen: [id] }),
  };
}

/** Whether a set-up can be measured as it stands. */
export const canStart = ({ setup }: BenchState, known: readonly ModelRecord[]): boolean =>
  Object.keys(problemsOf(setup, chosenModels(setup, known))).length === 0;

/** Jobs that measure speed and are not about to go, the newest first. */
export const benchJobs = ({ jobs, removing }: JobsState): readonly BenchSummary[] =>
  jobs?.filter((job) => job.kind === 'bench').filter(({ id }) => !removing.has(id)) ?? [];

/** Ids of the measurements that are shown: those chosen, else what the last jobs gave, else the newest. */
export function shownIds(
  { chosen, batch }: BenchState,
  jobs: readonly BenchSummary[],
  records: readonly BenchRecord[],
): number[] {
  const known = new Set(records.map(({ id }) => id));
  if (chosen) return chosen.filter((id) => known.has(id));
  const results = jobs
    .filter(({ id }) => batch.includes(id))
    .flatMap(({ result }) => (result && known.has(result.id) ? [result.id] : []))
    .toReversed()
    .slice(0, mostShown);
  return results.length > 0 ? results : records.slice(0, 1).map(({ id }) => id);
}
