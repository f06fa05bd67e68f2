import {
  MessageChannelMain,
  utilityProcess,
  type MessagePortMain,
  type WebContents,
} from 'electron';
import { enginePortMessage } from '../../preload/contract/bridge.ts';
import { fromEngineSchema, type ToEngine } from '../../preload/contract/processes.ts';
import { createCrashTracker } from './crashes.ts';
import { createRunners, type Runners } from './runners.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

/** How long the engine may take to write what must be written before it is ended. */
const shutdownMs = 2000;

/** Characters of stderr that a dialog can show. */
const lastWordsLength = 1000;

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
  | { kind: 'starting'; engine: EngineProcess }
  | { kind: 'running'; engine: EngineProcess }
  | { kind: 'stopping'; ended: Promise<void> };

/** One life of the engine, with the runners that belong to it. */
interface EngineProcess {
  readonly child: Electron.UtilityProcess;
  readonly runners: Runners;
  readonly tell: (message: ToEngine, ports?: MessagePortMain[]) => void;
  /** The end of what it wrote to stderr. */
  readonly lastWords: () => string;
}

interface EngineOptions {
  enginePath: string;
  runnerPath: string;
  /** Called when the engine crashed three times in five minutes and stays stopped. */
  onGivenUp(code: number, lastWords: string): void;
}

/** Makes the supervisor of the engine at `enginePath`; nothing runs before `start`. */
export function createEngineSupervisor(options: EngineOptions): EngineSupervisor {
  const crashes = createCrashTracker();
  const pages = new Set<WebContents>();
  let state: EngineState = { kind: 'stopped' };

  const hear = (engine: EngineProcess, data: unknown): void => {
    const message = fromEngineSchema.safeParse(data).data;
    switch (message?.kind) {
      case 'alive':
        return;
      case 'ready':
        if (state.kind !== 'starting') return;
        state = { kind: 'running', engine };
        for (const page of pages) sendPort(engine, page);
        return;
      case 'start-runner':
        return engine.runners.start(message.id);
      case undefined:
        // The engine reads hostile files: what it must not say ends it, not this process.
        engine.child.kill();
    }
  };

  const start = (): void => {
    const engine = forkEngine(options);
    state = { kind: 'starting', engine };
    let watchdog: Watchdog | null = null;
    engine.child.on('message', (data: unknown) => {
      hear(engine, data);
      // Until it is ready it may be silent for long: a library is brought to the newest schema.
      if (state.kind === 'starting') return;
      watchdog ??= createWatchdog(() => endHung(engine));
      watchdog.feed();
    });
    engine.child.once('exit', (code) => {
      watchdog?.stop();
      void engine.runners.killAll();
      if (state.kind === 'stopping') return;
      state = { kind: 'stopped' };
      if (crashes.mayRestart()) start();
      else options.onGivenUp(code, engine.lastWords());
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
      if (state.kind === 'running') sendPort(state.engine, page);
    },
    async stop() {
      if (state.kind === 'starting' || state.kind === 'running') {
        state = { kind: 'stopping', ended: endEngine(state.engine) };
      }
      if (state.kind === 'stopping') await state.ended;
    },
  };
}

/** Joins the page and the engine by a channel of their own. */
function sendPort(engine: EngineProcess, page: WebContents): void {
  const { port1, port2 } = new MessageChannelMain();
  engine.tell({ kind: 'client' }, [port1]);
  page.postMessage(enginePortMessage, null, [port2]);
}

function forkEngine({ enginePath, runnerPath }: EngineOptions): EngineProcess {
  const child = utilityProcess.fork(enginePath, [], {
    serviceName: 'Lathe engine',
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let words = '';
  child.stderr?.on('data', (data: Buffer) => {
    process.stderr.write(data);
    words = (words + data.toString()).slice(-lastWordsLength);
  });
  const tell = (message: ToEngine, ports: MessagePortMain[] = []): void =>
    child.postMessage(message, ports);
  const runners = createRunners(runnerPath, {
    started: (id, pid, port) => tell({ kind: 'runner-started', id, pid }, [port]),
    failed: (id, message) => tell({ kind: 'runner-failed', id, message }),
    exited: (id, code) => tell({ kind: 'runner-exited', id, code }),
  });
  return { child, runners, tell, lastWords: () => words.trim() };
}

/** A process that hangs may not hear a request to end either. */
function endHung({ child }: EngineProcess): void {
  process.stderr.write('the engine hangs: it is ended and started again\n');
  if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
}

/** Asks the engine to finish, ends it if it does not, then whatever runners are left. */
async function endEngine({ child, runners, tell }: EngineProcess): Promise<void> {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  tell({ kind: 'shutdown' });
  const impatience = setTimeout(() => child.kill(), shutdownMs);
  await exited;
  clearTimeout(impatience);
  await runners.killAll();
}
