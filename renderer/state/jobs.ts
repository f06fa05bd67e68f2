import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  CompressSummary,
  EngineClient,
  Job,
  JobSummary,
  Recipe,
} from '../../preload/contract/index.ts';
import { toFailure, type Failure } from './failure.ts';
import { applyJobEvent, isActive, isCompress, summaryOf } from './job.ts';

export interface JobsState {
  /** The newest first; null until the list was asked for. */
  readonly jobs: readonly JobSummary[] | null;
  /** All that is known of the jobs that are or were watched, by id. */
  readonly details: Readonly<Record<string, Job>>;
  readonly selected: string | null;
  /** The jobs that were at work together, those of a sweep for one; for overall progress. */
  readonly batch: readonly string[];
  /** Jobs that are hidden, and forgotten once the offer to undo has passed. */
  readonly removing: ReadonlySet<string>;
  readonly failure: Failure | null;
}

export interface Jobs {
  readonly store: StoreApi<JobsState>;
  /** Asks for the list and watches what runs; the engine says when to. */
  load(): Promise<void>;
  select(id: string): void;
  /** Queues recipes; resolves when the engine has taken or refused them. */
  start(model: string, recipes: readonly Recipe[]): Promise<void>;
  cancel(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Hides a job; `settle` or `undo` decides over it. */
  remove(id: string): void;
  undo(id: string): void;
  settle(id: string): Promise<void>;
  dismissFailure(): void;
  close(): void;
}

/** The jobs of the engine, and what they tell while they run. */
export function createJobs(client: EngineClient): Jobs {
  const store = createStore<JobsState>(() => ({
    jobs: null,
    details: {},
    selected: null,
    batch: [],
    removing: new Set(),
    failure: null,
  }));
  const watching = new Map<string, AbortController>();

  const attempt = async (act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      store.setState({ failure: toFailure(error) });
    }
  };
  const put = (job: Job): void =>
    store.setState(({ jobs, details }) => ({
      details: { ...details, [job.id]: job },
      jobs: jobs?.map((known) => (known.id === job.id ? summaryOf(job) : known)) ?? null,
    }));

  /** Follows a job until it ends; one that has ended tells all at once. */
  const watch = async (id: string): Promise<void> => {
    if (watching.has(id)) return;
    const controller = new AbortController();
    watching.set(id, controller);
    try {
      for await (const event of await client.jobs.watch({ id }, { signal: controller.signal })) {
        if (controller.signal.aborted) return;
        if (event.kind === 'job') put(event.job);
        else {
          const job = store.getState().details[id];
          if (job) put(applyJobEvent(job, event));
        }
      }
    } catch (error) {
      // A link that broke is shown by the connection; the next load watches anew.
      const failure = toFailure(error);
      if (failure.code !== 'engine_lost' && !controller.signal.aborted) store.setState({ failure });
    } finally {
      if (watching.get(id) === controller) watching.delete(id);
    }
  };
  const watchNeeded = (): void => {
    const { jobs, selected, details } = store.getState();
    for (const job of jobs ?? []) {
      const known = details[job.id];
      const isStale = known?.state !== job.state;
      if (isActive(job) || (job.id === selected && isStale)) void watch(job.id);
    }
  };
  const load = (): Promise<void> =>
    attempt(async () => {
      const jobs = await client.jobs.list();
      store.setState(({ batch, selected, failure }) => {
        const active = jobs.filter(isActive).map(({ id }) => id);
        const goesOn = active.some((id) => batch.includes(id));
        return {
          jobs,
          failure: failure?.code === 'engine_lost' ? null : failure,
          batch: active.length === 0 ? batch : [...new Set([...(goesOn ? batch : []), ...active])],
          selected: jobs.some(({ id }) => id === selected)
            ? selected
            : (jobs.find(isCompress)?.id ?? null),
        };
      });
      watchNeeded();
    });
  const without = (id: string): ReadonlySet<string> =>
    new Set([...store.getState().removing].filter((other) => other !== id));

  return {
    store,
    load,
    select(selected) {
      store.setState({ selected });
      watchNeeded();
    },
    start: (model, recipes) =>
      attempt(async () => {
        store.setState({ failure: null });
        const { ids } = await client.compress.start({ model, recipes: [...recipes] });
        store.setState({ selected: ids[0] ?? null });
        await load();
      }),
    cancel: (id) => attempt(async () => put(await client.jobs.cancel({ id }))),
    resume: (id) =>
      attempt(async () => {
        put(await client.jobs.resume({ id }));
        await load();
      }),
    remove: (id) => store.setState(({ removing }) => ({ removing: new Set([...removing, id]) })),
    undo: (id) => store.setState({ removing: without(id) }),
    async settle(id) {
      if (!store.getState().removing.has(id)) return;
      await attempt(async () => {
        await client.jobs.remove({ id });
        await load();
      });
      store.setState({ removing: without(id) });
    },
    dismissFailure: () => store.setState({ failure: null }),
    close() {
      for (const controller of watching.values()) controller.abort();
    },
  };
}

/** What the list of Compress shows: every job that makes a variant and is not about to go. */
export const visibleJobs = ({ jobs, removing }: JobsState): readonly CompressSummary[] =>
  jobs?.filter(isCompress).filter(({ id }) => !removing.has(id)) ?? [];
