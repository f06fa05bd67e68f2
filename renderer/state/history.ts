import { createStore, type StoreApi } from 'zustand/vanilla';
import type { EngineClient, Run, RunSummary } from '../../preload/contract/index.ts';
import { toFailure, type Failure } from './failure.ts';

const limit = 500;

export interface HistoryState {
  readonly search: string;
  /** Newest first; null until the list was asked for. */
  readonly runs: readonly RunSummary[] | null;
  /** Runs that are hidden, and gone for good once the offer to undo has passed. */
  readonly removing: ReadonlySet<string>;
  readonly failure: Failure | null;
}

export interface History {
  readonly store: StoreApi<HistoryState>;
  load(): Promise<void>;
  search(text: string): Promise<void>;
  get(id: string): Promise<Run>;
  /** Hides a run; `settle` or `undo` decides over it. */
  remove(id: string): void;
  undo(id: string): void;
  settle(id: string): Promise<void>;
}

/** The runs that were kept. */
export function createHistory(client: EngineClient): History {
  const store = createStore<HistoryState>(() => ({
    search: '',
    runs: null,
    removing: new Set(),
    failure: null,
  }));

  const load = async (): Promise<void> => {
    const { search } = store.getState();
    try {
      const runs = await client.runs.list(search === '' ? { limit } : { limit, search });
      // An answer to a search that has changed since would undo what the newer one found.
      if (store.getState().search === search) store.setState({ runs, failure: null });
    } catch (error) {
      store.setState({ failure: toFailure(error) });
    }
  };
  const withoutRemoving = (id: string): ReadonlySet<string> =>
    new Set([...store.getState().removing].filter((other) => other !== id));

  return {
    store,
    load,
    async search(search) {
      store.setState({ search });
      await load();
    },
    get: (id) => client.runs.get({ id }),
    remove: (id) => store.setState(({ removing }) => ({ removing: new Set([...removing, id]) })),
    undo: (id) => store.setState({ removing: withoutRemoving(id) }),
    async settle(id) {
      if (!store.getState().removing.has(id)) return;
      try {
        await client.runs.remove({ id });
        store.setState(({ runs }) => ({ runs: runs?.filter((run) => run.id !== id) ?? null }));
      } catch (error) {
        store.setState({ failure: toFailure(error) });
      }
      store.setState({ removing: withoutRemoving(id) });
    },
  };
}

/** What the list shows: everything that is not about to go. */
export const visibleRuns = ({ runs, removing }: HistoryState): readonly RunSummary[] =>
  runs?.filter(({ id }) => !removing.has(id)) ?? [];
