import { createStore, type StoreApi } from 'zustand/vanilla';
import type { BenchRecord, JobSummary } from '../../preload/contract/index.ts';
import { readSetup, requestsOf, type BenchSetup } from './benchSetup.ts';
import type { Jobs, JobsState } from './jobs.ts';
import { visibleBenches, type Measurements, type MeasurementsState } from './measurements.ts';
import { readStored, type Memory } from './memory.ts';

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
  return {
    store,
    change: (part) => {
      store.setState(({ setup }) => ({ setup: { ...setup, ...part } }));
      memory.write('bench', store.getState().setup);
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

/** Jobs that measure speed and are not about to go, the newest first. */
export const benchJobs = ({ jobs, removing }: JobsState): readonly BenchSummary[] =>
  jobs?.filter((job) => job.kind === 'bench').filter(({ id }) => !removing.has(id)) ?? [];

/** The measurements that are shown: those chosen, else what the last jobs gave, else the newest. */
export function shownBenches(
  { chosen, batch }: BenchState,
  jobs: JobsState,
  measurements: MeasurementsState,
): readonly BenchRecord[] {
  const all = visibleBenches(measurements);
  const find = (ids: readonly number[]): BenchRecord[] =>
    ids.flatMap((id) => all.find((record) => record.id === id) ?? []);
  if (chosen) return find(chosen);
  const results = benchJobs(jobs)
    .filter(({ id }) => batch.includes(id))
    .flatMap(({ result }) => (result ? [result.id] : []))
    .toReversed();
  const made = find(results.slice(0, mostShown));
  return made.length > 0 ? made : all.slice(0, 1);
}
