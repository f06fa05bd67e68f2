import type { Codec, References } from './codec.ts';

/**
 * What runs inside the page. Both functions are sent as source text, so they use nothing but
 * their parameters and the page's own globals.
 */

type CreateCodec = (references?: References) => Codec;

/** Talks to the same function in the page's other world, by DOM events that carry text. */
export interface WorldLink {
  expose(name: string, value: unknown): void;
  onExpose(listener: (name: string, value: unknown) => void): void;
}

type LinkMessage =
  | { kind: 'expose'; name: string; value: string }
  | { kind: 'call'; id: number; value: string }
  | { kind: 'return' | 'throw'; value: string }
  | { kind: 'resolve' | 'reject'; id: number; value: string };

/** Functions and promises that cross become stubs on the other side. */
export function createLink(own: string, other: string, createCodec: CreateCodec): WorldLink {
  const functions = new Map<number, (...values: unknown[]) => unknown>();
  const promises = new Map<number, PromiseWithResolvers<unknown>>();
  let exposed: (name: string, value: unknown) => void = () => undefined;
  let returned: LinkMessage | null = null;
  let count = 0;

  const fire = (message: LinkMessage): void => {
    document.dispatchEvent(new CustomEvent(other, { detail: JSON.stringify(message) }));
  };
  const settle = (id: number, kind: 'resolve' | 'reject') => (value: unknown) =>
    fire({ kind, id, value: codec.encode(value) });

  const codec = createCodec({
    write(value) {
      count += 1;
      const id = count;
      if (value instanceof Promise) {
        value.then(settle(id, 'resolve'), settle(id, 'reject'));
        return { promise: id };
      }
      functions.set(id, value as (...values: unknown[]) => unknown);
      return { call: id };
    },
    read(reference) {
      const { promise, call } = reference as { promise?: number; call: number };
      if (promise !== undefined) {
        const pending = Promise.withResolvers();
        promises.set(promise, pending);
        return pending.promise;
      }
      return (...values: unknown[]) => {
        fire({ kind: 'call', id: call, value: codec.encode(values) });
        const answer = returned;
        if (answer?.kind === 'throw') throw codec.decode(answer.value) as Error;
        return answer?.kind === 'return' ? codec.decode(answer.value) : undefined;
      };
    },
  });

  const answerCall = (id: number, value: string): LinkMessage => {
    try {
      const result = functions.get(id)?.(...(codec.decode(value) as unknown[]));
      return { kind: 'return', value: codec.encode(result) };
    } catch (error) {
      return { kind: 'throw', value: codec.encode(error) };
    }
  };

  document.addEventListener(own, (event) => {
    event.stopImmediatePropagation();
    const message = JSON.parse((event as CustomEvent<string>).detail) as LinkMessage;
    switch (message.kind) {
      case 'expose':
        return exposed(message.name, codec.decode(message.value));
      case 'call':
        return fire(answerCall(message.id, message.value));
      case 'return':
      case 'throw':
        returned = message;
        return undefined;
      case 'resolve':
        return promises.get(message.id)?.resolve(codec.decode(message.value));
      case 'reject':
        return promises.get(message.id)?.reject(codec.decode(message.value));
    }
  });

  return {
    expose: (name, value) => fire({ kind: 'expose', name, value: codec.encode(value) }),
    onExpose: (listener) => {
      exposed = listener;
    },
  };
}

/**
 * In the page's own world: gives `window` what the preload script exposes, frozen, opens windows
 * apart, and gives ports the `close` event that Electron adds to Chromium's; `closing` is the
 * message that stands for it.
 */
export function runMainWorld(link: WorldLink, closing: string): void {
  const freeze = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
    return Object.freeze(value);
  };
  link.onExpose((name, value) => {
    Object.defineProperty(window, name, { value: freeze(value), enumerable: true });
  });
  // A window that is to be closed again must not share this page's process: Playwright holds new
  // windows until it has looked at them, and this page would be held with it.
  const open = window.open.bind(window);
  window.open = (url, target, features = '') => {
    open(url, target, `noopener,${features}`);
    return null;
  };
  const watch = (port: MessagePort): void =>
    port.addEventListener('message', (event) => {
      if (event.data !== closing) return;
      event.stopImmediatePropagation();
      port.dispatchEvent(new Event('close'));
    });
  window.addEventListener('message', ({ ports }) => ports.forEach(watch));
}

/** Between the isolated world and the main process. */
export type ToPage =
  | { kind: 'send'; channel: string; value: string; ports: number[] }
  | { kind: 'resolve' | 'reject'; id: number; value: string }
  | { kind: 'port'; port: number; value: string }
  | { kind: 'port-close'; port: number };

export type FromPage =
  | { kind: 'send'; channel: string; value: string }
  | { kind: 'invoke'; id: number; channel: string; value: string }
  | { kind: 'port'; port: number; value: string };

type IpcListener = (event: { ports: MessagePort[] }, ...values: unknown[]) => void;
type Preload = (require: (id: string) => unknown, process: object) => void;

/** In the isolated world: runs the preload script with what a sandboxed one may require. */
export function runIsolatedWorld(
  link: WorldLink,
  codec: Codec,
  closing: string,
  preload: Preload,
): void {
  const page = globalThis as typeof globalThis & {
    standInSend(text: string): void;
    standInReceive(text: string): void;
  };
  const listeners = new Map<string, IpcListener[]>();
  const calls = new Map<number, PromiseWithResolvers<unknown> & { channel: string }>();
  const ports = new Map<number, MessagePort>();
  let count = 0;

  const send = (message: FromPage): void => page.standInSend(JSON.stringify(message));

  const openPort = (port: number): MessagePort => {
    const channel = new MessageChannel();
    ports.set(port, channel.port1);
    channel.port1.addEventListener('message', ({ data }) =>
      send({ kind: 'port', port, value: codec.encode(data) }),
    );
    channel.port1.start();
    return channel.port2;
  };

  page.standInReceive = (text) => {
    const message = JSON.parse(text) as ToPage;
    switch (message.kind) {
      case 'send': {
        const event = { ports: message.ports.map(openPort) };
        const values = codec.decode(message.value) as unknown[];
        for (const listener of listeners.get(message.channel) ?? []) listener(event, ...values);
        return undefined;
      }
      case 'resolve':
        return calls.get(message.id)?.resolve(codec.decode(message.value));
      case 'reject': {
        const call = calls.get(message.id);
        const reason = codec.decode(message.value) as string;
        const channel = call?.channel;
        return call?.reject(new Error(`Error invoking remote method '${channel}': ${reason}`));
      }
      case 'port':
        return ports.get(message.port)?.postMessage(codec.decode(message.value));
      case 'port-close':
        return ports.get(message.port)?.postMessage(closing);
    }
  };

  const ipcRenderer = {
    on(channel: string, listener: IpcListener) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
    },
    send(channel: string, ...values: unknown[]) {
      send({ kind: 'send', channel, value: codec.encode(values) });
    },
    invoke(channel: string, ...values: unknown[]) {
      count += 1;
      const call = { ...Promise.withResolvers<unknown>(), channel };
      calls.set(count, call);
      send({ kind: 'invoke', id: count, channel, value: codec.encode(values) });
      return call.promise;
    },
  };
  const electron = {
    ipcRenderer,
    contextBridge: {
      exposeInMainWorld: (name: string, value: unknown) => link.expose(name, value),
    },
  };
  const require = (id: string): unknown => {
    if (id === 'electron') return electron;
    throw new Error(`module not found: ${id}`);
  };
  preload(require, { platform: 'linux', sandboxed: true, contextIsolated: true, type: 'renderer' });
}
