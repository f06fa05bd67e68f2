import { createORPCClient, DynamicLink, type ClientContext, type ClientLink } from '@orpc/client';
import { LatheError, type EngineClient } from '../../preload/contract/index.ts';

/** Whether the engine can be reached. `attempt` counts the tries since it was lost, from 1. */
export type ConnectionState =
  { kind: 'connecting' } | { kind: 'ready' } | { kind: 'lost'; attempt: number };

export type EngineLink = ClientLink<ClientContext>;

/** What a transport reports: a link that works from now on, or that there is none. */
export interface LinkEvents {
  up(link: EngineLink): void;
  /** The link broke, or the `attempt`th try to get a new one failed. */
  down(attempt: number): void;
}

/** Opens a way to the engine and keeps it open; returns the function that ends it. */
export type Transport = (events: LinkEvents) => () => void;

/** One client for the life of the page, whatever happens to the engine behind it. */
export interface EngineConnection {
  readonly client: EngineClient;
  state(): ConnectionState;
  /** Calls `listener` on every change; returns the function that stops it. */
  subscribe(listener: (state: ConnectionState) => void): () => void;
  close(): void;
}

/**
 * Joins a transport and a typed client. Calls made before the first link wait for it; calls made
 * while the engine is lost fail at once with `engine_lost`.
 */
export function connect(transport: Transport): EngineConnection {
  let state: ConnectionState = { kind: 'connecting' };
  const listeners = new Set<(state: ConnectionState) => void>();
  const first = Promise.withResolvers<EngineLink>();
  let current: EngineLink | null = null;

  const change = (next: ConnectionState): void => {
    state = next;
    for (const listener of listeners) listener(next);
  };
  const link = new DynamicLink<ClientContext>(() => {
    if (current) return current;
    if (state.kind === 'connecting') return first.promise;
    throw new LatheError('engine_lost', 'The engine is not running; it is being restarted', {
      next: ['retry'],
    });
  });
  const stop = transport({
    up(next) {
      current = next;
      first.resolve(next);
      change({ kind: 'ready' });
    },
    down(attempt) {
      current = null;
      change({ kind: 'lost', attempt });
    },
  });

  return {
    client: createORPCClient<EngineClient>(link),
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: stop,
  };
}
