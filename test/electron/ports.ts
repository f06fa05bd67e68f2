import { EventEmitter } from 'node:events';

/** Carries what reaches a port on to the page or process that holds it. */
export interface Route {
  message(portId: number, data: unknown): void;
  close(portId: number): void;
}

const portById = new Map<number, MessagePortMain>();
let count = 0;

/**
 * One end of a channel. All ports live in the main process; one that was handed to a page or a
 * process keeps its place here and forwards along its route.
 */
export class MessagePortMain extends EventEmitter {
  readonly id: number;
  #peer: MessagePortMain | null = null;
  #route: Route | null = null;
  #started = false;
  #queue: unknown[] = [];

  constructor() {
    super();
    count += 1;
    this.id = count;
    portById.set(this.id, this);
  }

  static join(a: MessagePortMain, b: MessagePortMain): void {
    a.#peer = b;
    b.#peer = a;
  }

  postMessage(data: unknown, transfer: readonly MessagePortMain[] = []): void {
    if (transfer.length > 0) throw new Error('electron stand-in: ports do not travel over ports');
    this.#peer?.deliver(data);
  }

  start(): void {
    this.#started = true;
    this.#flush();
  }

  close(): void {
    const ends = [this, this.#peer];
    for (const end of ends) end?.disconnect();
  }

  /** Hands the port to whoever is behind the route; what waited goes along. */
  moveTo(route: Route): void {
    this.#route = route;
    this.#flush();
  }

  deliver(data: unknown): void {
    if (this.#route) this.#route.message(this.id, data);
    else this.#queue.push(structuredClone(data));
    this.#flush();
  }

  #flush(): void {
    if (this.#route) {
      for (const data of this.#queue.splice(0)) this.#route.message(this.id, data);
    } else if (this.#started && this.#queue.length > 0) {
      setImmediate(() => {
        // One at a time: what a message sets off is done before the next is heard.
        for (const data of this.#queue.splice(0, 1)) this.emit('message', { data, ports: [] });
        this.#flush();
      });
    }
  }

  disconnect(): void {
    if (!portById.delete(this.id)) return;
    this.#peer = null;
    if (this.#route) this.#route.close(this.id);
    else setImmediate(() => this.emit('close'));
  }
}

export class MessageChannelMain {
  readonly port1 = new MessagePortMain();
  readonly port2 = new MessagePortMain();

  constructor() {
    MessagePortMain.join(this.port1, this.port2);
  }
}

/** A page or process sends on a port that it holds. */
export function sendFromRemote(portId: number, data: unknown): void {
  portById.get(portId)?.postMessage(data);
}

/** A page or process that held these ports closed them or is gone. */
export function closeFromRemote(portIds: Iterable<number>): void {
  for (const id of portIds) portById.get(id)?.close();
}
