import {
  MessageChannelMain,
  utilityProcess,
  type MessagePortMain,
  type WebContents,
} from 'electron';
import { enginePortMessage } from '../../preload/contract/bridge.ts';
import { fromEngineSchema, type ToEngine } from '../../preload/contract/processes.ts';
import { createCrashTracker } from './crashes.ts';
import { createRunners } from './runners.ts';

/** How long the engine may take to write what must be written before it is ended. */
const shutdownMs = 2000;

/** Keeps one engine process running and every connected page supplied with a port to it. */
export interface EngineSupervisor {
  start(): void;
  /** Gives the page a port now or as soon as there is an engine, and again after each restart. */
  connect(page: WebContents): void;
  /** Resolves when the engine and all runners are gone. */
  stop(): Promise<void>;
}

type EngineState =
  | { kind: 'stopped' }
  | { kind: 'starting'; child: Electron.UtilityProcess }
  | { kind: 'running'; child: Electron.UtilityProcess }
  | { kind: 'stopping'; done: () => void };

interface EngineOptions {
  enginePath: string;
  runnerPath: string;
  /** Called when the engine crashed three times in five minutes and stays stopped. */
  onGivenUp(code: number): void;
}

/** Makes the supervisor of the engine at `enginePath`; nothing runs before `start`. */
export function createEngineSupervisor(options: EngineOptions): EngineSupervisor {
  const crashes = createCrashTracker();
  const pages = new Set<WebContents>();
  let state: EngineState = { kind: 'stopped' };

  const tell = (message: ToEngine, ports: MessagePortMain[] = []): void => {
    if (state.kind === 'running') state.child.postMessage(message, ports);
  };

  const runners = createRunners(options.runnerPath, {
    started: (id, pid, port) => tell({ kind: 'runner-started', id, pid }, [port]),
    failed: (id, message) => tell({ kind: 'runner-failed', id, message }),
    exited: (id, code) => tell({ kind: 'runner-exited', id, code }),
  });

  const sendPort = (page: WebContents): void => {
    const { port1, port2 } = new MessageChannelMain();
    tell({ kind: 'client' }, [port1]);
    page.postMessage(enginePortMessage, null, [port2]);
  };

  const hear = (child: Electron.UtilityProcess, data: unknown): void => {
    const message = fromEngineSchema.safeParse(data).data;
    switch (message?.kind) {
      case 'ready':
        if (state.kind !== 'starting') return;
        state = { kind: 'running', child };
        for (const page of pages) sendPort(page);
        return;
      case 'start-runner':
        return runners.start(message.id);
      case undefined:
        // The engine reads hostile files: what it must not say ends it, not this process.
        child.kill();
    }
  };

  const start = (): void => {
    const child = utilityProcess.fork(options.enginePath, [], { serviceName: 'Lathe engine' });
    state = { kind: 'starting', child };
    child.on('message', (data: unknown) => hear(child, data));
    child.once('exit', (code) => {
      // Its runners belong to it: a new engine starts with none.
      void runners.killAll();
      if (state.kind === 'stopping') return state.done();
      state = { kind: 'stopped' };
      if (crashes.mayRestart()) start();
      else options.onGivenUp(code);
    });
  };

  return {
    start() {
      crashes.reset();
      if (state.kind === 'stopped') start();
    },
    connect(page) {
      if (!pages.has(page)) page.once('destroyed', () => pages.delete(page));
      pages.add(page);
      if (state.kind === 'running') sendPort(page);
    },
    async stop() {
      if (state.kind !== 'starting' && state.kind !== 'running') return;
      const { child } = state;
      tell({ kind: 'shutdown' });
      await new Promise<void>((done) => {
        state = { kind: 'stopping', done };
        setTimeout(() => child.kill(), shutdownMs).unref();
      });
      await runners.killAll();
    },
  };
}
