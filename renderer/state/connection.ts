import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ConnectionState, EngineConnection } from '../engine/connection.ts';

export type { ConnectionState };

export interface ConnectionStatus {
  readonly connection: ConnectionState;
  /** Whether the engine was there before: tells a restart from the first start. */
  readonly wasReady: boolean;
}

/** Whether the engine can be reached, for those who show it. */
export function createConnection(engine: EngineConnection): StoreApi<ConnectionStatus> {
  const connection = engine.state();
  const store = createStore<ConnectionStatus>(() => ({
    connection,
    wasReady: connection.kind === 'ready',
  }));
  engine.subscribe((next) =>
    store.setState(({ wasReady }) => ({
      connection: next,
      wasReady: wasReady || next.kind === 'ready',
    })),
  );
  return store;
}
