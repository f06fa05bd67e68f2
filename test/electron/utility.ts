import { EventEmitter } from 'node:events';
import { oneByOne } from '../../main/engine/runner/oneByOne.ts';
import type { FromUtility, ToUtility } from './utilityProcess.ts';

/** Loaded before a utility process's own module: gives it `process.parentPort`. */

const ports = new Map<number, UtilityPort>();

const send = (message: FromUtility): void => {
  // The parent may be going: its end is ours, below.
  process.send?.(message, undefined, undefined, () => undefined);
};

/** A port that this process holds; messages wait until `start`. */
class UtilityPort extends EventEmitter {
  readonly #id: number;
  #started = false;
  #queue: unknown[] = [];

  constructor(id: number) {
    super();
    this.#id = id;
    ports.set(id, this);
  }

  postMessage(data: unknown): void {
    send({ kind: 'port', port: this.#id, data });
  }

  start(): void {
    this.#started = true;
    for (const data of this.#queue.splice(0)) this.emit('message', { data, ports: [] });
  }

  close(): void {
    send({ kind: 'port-close', port: this.#id });
  }

  receive(data: unknown): void {
    if (this.#started) this.emit('message', { data, ports: [] });
    else this.#queue.push(data);
  }

  closed(): void {
    ports.delete(this.#id);
    this.emit('close');
  }
}

/** Messages wait until somebody listens. */
class ParentPort extends EventEmitter {
  #queue: object[] = [];

  constructor() {
    super();
    this.on('newListener', (name) => {
      if (name === 'message') setImmediate(() => this.#queue.splice(0).forEach(this.receive));
    });
  }

  postMessage(data: unknown): void {
    send({ kind: 'message', data });
  }

  readonly receive = (event: object): void => {
    if (this.listenerCount('message') === 0) this.#queue.push(event);
    else this.emit('message', event);
  };
}

const parentPort = new ParentPort();
Object.assign(process, { parentPort, type: 'utility' });
Object.assign(process.versions, { electron: '45.0.0-stand-in' });

/** As from Electron's ports: what a message sets off is done before the next is heard. */
const hear = oneByOne((message: ToUtility): void => {
  switch (message.kind) {
    case 'message': {
      const event = { data: message.data, ports: message.ports.map((id) => new UtilityPort(id)) };
      return parentPort.receive(event);
    }
    case 'port':
      return ports.get(message.port)?.receive(message.data);
    case 'port-close':
      return ports.get(message.port)?.closed();
  }
});
process.on('message', hear);
process.on('disconnect', () => process.exit(0));
