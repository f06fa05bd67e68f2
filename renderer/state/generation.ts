import { createStore, type StoreApi } from 'zustand/vanilla';
import {
  LatheError,
  type Alternative,
  type EngineClient,
  type GenerateEvent,
  type GenerateRequest,
  type Run,
} from '../../preload/contract/index.ts';
import { toFailure } from './failure.ts';
import {
  applyEvents,
  cancelRun,
  failRun,
  isRunning,
  reopenRun,
  startRun,
  type RunState,
} from './run.ts';
import { allTokens } from './tokens.ts';

/** Calls back before the next picture is drawn; tests call back at once or by hand. */
export type Frame = (then: () => void) => void;

export interface Generation {
  readonly store: StoreApi<RunState>;
  /** Runs a request. A run under way is stopped first. */
  start(request: GenerateRequest): Promise<void>;
  stop(): void;
  /** Runs the request of the last run once more. */
  again(): Promise<void>;
  /** Goes on from token `index` with another token in its place. */
  branch(index: number, alternative: Alternative): Promise<void>;
  reopen(run: Run): void;
  clear(): void;
}

const brokenOff = new LatheError('engine_lost', 'The stream ended before the run did', {
  next: ['retry'],
});

/** The run in the window: streams from the engine and appends once per frame. */
export function createGeneration(client: EngineClient, frame: Frame): Generation {
  const store = createStore<RunState>(() => ({ kind: 'idle' }));
  let active: AbortController | null = null;
  /** Events that came since the last frame. */
  let waiting: GenerateEvent[] = [];

  const flush = (): void => {
    if (waiting.length === 0) return;
    const events = waiting;
    waiting = [];
    store.setState((state) => applyEvents(state, events), true);
  };
  const stop = (): void => {
    active?.abort();
    active = null;
    flush();
    store.setState(cancelRun, true);
  };

  const start = async (request: GenerateRequest): Promise<void> => {
    stop();
    const controller = new AbortController();
    active = controller;
    store.setState(startRun(request), true);
    const fail = (error: unknown): void => {
      if (active !== controller) return;
      flush();
      store.setState((state) => failRun(state, toFailure(error)), true);
    };
    try {
      for await (const event of await client.generate(request, { signal: controller.signal })) {
        if (active !== controller) return;
        if (waiting.push(event) === 1) frame(flush);
      }
      flush();
      if (isRunning(store.getState())) fail(brokenOff);
    } catch (error) {
      fail(error);
    }
    if (active === controller) active = null;
  };

  return {
    store,
    start,
    stop,
    async again() {
      const state = store.getState();
      if (state.kind !== 'idle') await start(state.run.request);
    },
    async branch(index, alternative) {
      stop();
      const state = store.getState();
      if (state.kind === 'idle') return;
      const { request, blocks } = state.run;
      const before = allTokens(blocks).slice(0, index);
      const prefix = [...request.prefix, ...before.map(({ id }) => id), alternative.id];
      const written = before.map(({ text }) => text).join('') + alternative.text;
      await start({ ...request, prefix, prefixText: (request.prefixText ?? '') + written });
    },
    reopen(run) {
      stop();
      store.setState(reopenRun(run), true);
    },
    clear() {
      stop();
      store.setState({ kind: 'idle' }, true);
    },
  };
}
