import { MessageChannelMain, utilityProcess, type MessagePortMain } from 'electron';

/** The runner processes that the engine asked for; a utility process cannot start its own. */
export interface Runners {
  /** Starts one; its port and pid go to `started`, its end to `exited`, each at most once. */
  start(id: number): void;
  /** Resolves when the last one has ended. */
  killAll(): Promise<void>;
}

interface RunnerEvents {
  started(id: number, pid: number, port: MessagePortMain): void;
  failed(id: number, message: string): void;
  exited(id: number, code: number): void;
}

/** Forks `modulePath` once per runner and hands it one end of a channel as its first message. */
export function createRunners(modulePath: string, events: RunnerEvents): Runners {
  const running = new Map<number, Electron.UtilityProcess>();
  return {
    start(id) {
      const child = utilityProcess.fork(modulePath, [], { serviceName: 'Lathe runner' });
      running.set(id, child);
      let spawned = false;
      child.once('spawn', () => {
        spawned = true;
        if (child.pid === undefined) return;
        const { port1, port2 } = new MessageChannelMain();
        child.postMessage({ kind: 'engine' }, [port1]);
        events.started(id, child.pid, port2);
      });
      child.once('exit', (code) => {
        running.delete(id);
        if (spawned) events.exited(id, code);
        else events.failed(id, `the runner ended before it started, with code ${code}`);
      });
    },
    async killAll() {
      const ended = [...running.values()].map(
        (child) => new Promise<void>((resolve) => child.once('exit', () => resolve())),
      );
      for (const child of running.values()) child.kill();
      await Promise.all(ended);
    },
  };
}
