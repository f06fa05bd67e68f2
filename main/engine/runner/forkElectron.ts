import type { FromEngine, ToEngine } from '../../../preload/contract/processes.ts';
import type { Exit, RunnerProcess, StartRunner } from './host.ts';

type RunnerMessage = Extract<ToEngine, { id: number }>;

/** Starts runners by asking the main process, the only one that may fork in the desktop. */
export interface ParentRunners {
  readonly start: StartRunner;
  /** Takes what the main process says about them. */
  hear(message: RunnerMessage, port: Electron.MessagePortMain | undefined): void;
}

interface Pending {
  started(process: RunnerProcess): void;
  failed(error: Error): void;
}

/** `tell` reaches the main process. */
export function createParentRunners(tell: (message: FromEngine) => void): ParentRunners {
  const asked = new Map<number, Pending>();
  const running = new Map<number, (exit: Exit) => void>();
  let count = 0;
  return {
    start: () =>
      new Promise((started, failed) => {
        count += 1;
        asked.set(count, { started, failed });
        tell({ kind: 'start-runner', id: count });
      }),
    hear(message, port) {
      const { id } = message;
      const pending = asked.get(id);
      asked.delete(id);
      switch (message.kind) {
        case 'runner-started': {
          if (port === undefined) throw new Error(`runner ${id} came without a port`);
          const exited = new Promise<Exit>((resolve) => running.set(id, resolve));
          const { pid } = message;
          const kill = (): void => {
            // The pid is the runner's until its end was reported.
            if (running.has(id)) killNow(pid);
          };
          pending?.started({ pid, port, exited, kill });
          return port.start();
        }
        case 'runner-failed':
          return pending?.failed(new Error(message.message));
        case 'runner-exited':
          running.get(id)?.({ code: message.code, signal: null });
          running.delete(id);
      }
    },
  };
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended, and nobody said so yet.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
