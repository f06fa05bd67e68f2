import { createStore, type StoreApi } from 'zustand/vanilla';
import type { EngineClient, RunnerState } from '../../preload/contract/index.ts';

export interface Runners {
  readonly store: StoreApi<{ readonly runners: readonly RunnerState[] }>;
  load(): Promise<void>;
  /** Takes over what the engine told of one runner. */
  told(state: RunnerState): void;
  unload(model: string): Promise<void>;
}

/** The processes that hold models. */
export function createRunners(client: EngineClient): Runners {
  const store = createStore<{ readonly runners: readonly RunnerState[] }>(() => ({ runners: [] }));
  return {
    store,
    load: async () => store.setState({ runners: await client.runners.list() }),
    told: (state) => store.setState(({ runners }) => ({ runners: withRunner(runners, state) })),
    unload: (model) => client.runners.unload({ model }),
  };
}

/** The list with one runner's news; an unloaded runner is not listed. */
export function withRunner(
  runners: readonly RunnerState[],
  state: RunnerState,
): readonly RunnerState[] {
  const others = runners.filter(({ model }) => model !== state.model);
  return state.kind === 'unloaded' ? others : [...others, state];
}
