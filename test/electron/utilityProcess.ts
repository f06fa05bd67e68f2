import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { closeFromRemote, sendFromRemote, type MessagePortMain } from './ports.ts';

/** What goes to a utility process … */
export type ToUtility =
  | { kind: 'message'; data: unknown; ports: number[] }
  | { kind: 'port'; port: number; data: unknown }
  | { kind: 'port-close'; port: number };

/** … and what comes back. */
export type FromUtility =
  | { kind: 'message'; data: unknown }
  | { kind: 'port'; port: number; data: unknown }
  | { kind: 'port-close'; port: number };

interface ForkOptions {
  serviceName?: string;
  stdio?: ('ignore' | 'inherit' | 'pipe')[];
}

const children = new Map<ChildProcess, string>();

/** A child process with a parent port. */
class UtilityProcess extends EventEmitter {
  pid: number | undefined;
  /** Null unless it was asked for as a pipe. */
  readonly stderr: Readable | null;
  readonly #child: ChildProcess;
  readonly #ports = new Set<number>();

  constructor(modulePath: string, values: readonly string[], options: ForkOptions) {
    super();
    this.#child = fork(modulePath, values, {
      serialization: 'advanced',
      execArgv: ['--import', new URL('./utility.ts', import.meta.url).href],
      stdio: [...(options.stdio ?? ['ignore', 'inherit', 'inherit']), 'ipc'],
    });
    this.stderr = this.#child.stderr;
    children.set(this.#child, options.serviceName ?? 'Node Utility Process');
    this.#child.once('spawn', () => {
      this.pid = this.#child.pid;
      this.emit('spawn');
    });
    this.#child.once('exit', (code, signal) => {
      children.delete(this.#child);
      this.pid = undefined;
      closeFromRemote(this.#ports);
      // Electron gives a number either way; a signal has none of its own here.
      this.emit('exit', code ?? (signal === 'SIGKILL' ? 9 : 15));
    });
    this.#child.on('message', (message) => this.#hear(message as FromUtility));
  }

  postMessage(data: unknown, transfer: readonly MessagePortMain[] = []): void {
    this.#send({ kind: 'message', data, ports: transfer.map((port) => port.id) });
    for (const port of transfer) {
      this.#ports.add(port.id);
      port.moveTo({
        message: (id, content) => this.#send({ kind: 'port', port: id, data: content }),
        close: (id) => this.#send({ kind: 'port-close', port: id }),
      });
    }
  }

  kill(): boolean {
    return this.#child.kill();
  }

  #send(message: ToUtility): void {
    // What is sent to a process that has just ended is lost with it.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #hear(message: FromUtility): void {
    switch (message.kind) {
      case 'message':
        this.emit('message', message.data);
        return;
      case 'port':
        sendFromRemote(message.port, message.data);
        return;
      case 'port-close':
        closeFromRemote([message.port]);
    }
  }
}

export const utilityProcess = {
  fork: (
    modulePath: string,
    values: readonly string[] = [],
    options: ForkOptions = {},
  ): UtilityProcess => new UtilityProcess(modulePath, values, options),
};

/** The living utility processes, as `app.getAppMetrics` lists them. */
export const utilityMetrics = (): { pid: number; type: 'Utility'; name: string }[] =>
  [...children].map(([child, name]) => ({ pid: child.pid ?? 0, type: 'Utility', name }));

export function killUtilities(): void {
  for (const child of children.keys()) child.kill('SIGKILL');
}
