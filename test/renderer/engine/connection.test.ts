import { RPCHandler } from '@orpc/server/message-port';
import { implement } from '@orpc/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { enginePortMessage, type Bridge } from '../../../preload/contract/bridge.ts';
import { contract } from '../../../preload/contract/index.ts';
import { engineUrl, retryDelayMs, socketTransport } from '../../../renderer/engine/browser.ts';
import { connect, type ConnectionState } from '../../../renderer/engine/connection.ts';
import { desktopTransport } from '../../../renderer/engine/desktop.ts';

/** The least engine: answers `runners.list` with its own name. */
function serve(name: string): MessagePort {
  const os = implement(contract);
  const list = os.runners.list.handler(() => [{ kind: 'loading', model: name }]);
  const { port1, port2 } = new MessageChannel();
  new RPCHandler({ runners: { list } }).upgrade(port1);
  port1.start();
  served.push(port1);
  return port2;
}
const served: MessagePort[] = [];
afterEach(() => {
  for (const port of served.splice(0)) port.close();
});

describe('the connection of the desktop', () => {
  const page = new EventTarget();
  const window = page as unknown as Pick<Window, 'addEventListener' | 'removeEventListener'>;
  const arrive = (port: MessagePort): void => {
    const event = Object.assign(new Event('message'), { data: enginePortMessage, ports: [port] });
    page.dispatchEvent(event);
  };
  const bridge: Bridge = {
    connect: vi.fn<() => void>(),
    chooseFolder: () => Promise.resolve(null),
    openExternal: () => Promise.resolve(false),
    platform: 'linux',
  };

  it('asks for a port, holds calls until it comes, and moves to the port of a new engine', async () => {
    const engine = connect(desktopTransport(window, bridge));
    const states: ConnectionState[] = [];
    engine.subscribe((state) => states.push(state));
    expect(bridge.connect).toHaveBeenCalledOnce();
    expect(engine.state()).toEqual({ kind: 'connecting' });

    const early = engine.client.runners.list();
    arrive(serve('first'));
    expect(await early).toEqual([{ kind: 'loading', model: 'first' }]);

    served[0]?.close();
    await vi.waitFor(() => expect(engine.state()).toEqual({ kind: 'lost', attempt: 1 }));
    await expect(engine.client.runners.list()).rejects.toMatchObject({ code: 'engine_lost' });

    arrive(serve('second'));
    expect(await engine.client.runners.list()).toEqual([{ kind: 'loading', model: 'second' }]);
    expect(states.map(({ kind }) => kind)).toEqual(['ready', 'lost', 'ready']);
    engine.close();
  });

  it('does not take messages for ports that are none', () => {
    const engine = connect(desktopTransport(window, bridge));
    page.dispatchEvent(Object.assign(new Event('message'), { data: 'other', ports: [] }));
    expect(engine.state()).toEqual({ kind: 'connecting' });
    engine.close();
  });
});

class FakeSocket extends EventTarget {
  readyState = 0;
  send(): void {}
  close(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event('close'));
  }
  answer(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }
}

describe('the connection of the browser shell', () => {
  it('takes address and token from the page', () => {
    expect(engineUrl('http://127.0.0.1:4173/?token=a%2Bb#x')).toBe(
      'ws://127.0.0.1:4173/engine?token=a%2Bb',
    );
  });

  it('tries again with growing waits until the engine answers', () => {
    const sockets: FakeSocket[] = [];
    const waits: { ms: number; again: () => void }[] = [];
    const engine = connect(
      socketTransport('ws://x/engine', {
        open: () => {
          const socket = new FakeSocket();
          sockets.push(socket);
          return socket as unknown as WebSocket;
        },
        wait: (ms, again) => {
          waits.push({ ms, again });
          return () => {};
        },
      }),
    );
    sockets[0]?.close();
    waits[0]?.again();
    sockets[1]?.close();
    expect(engine.state()).toEqual({ kind: 'lost', attempt: 2 });
    waits[1]?.again();
    sockets[2]?.answer();
    expect(engine.state()).toEqual({ kind: 'ready' });

    sockets[2]?.close();
    expect(engine.state()).toEqual({ kind: 'lost', attempt: 1 });
    expect(waits.map(({ ms }) => ms)).toEqual([retryDelayMs(1), retryDelayMs(2), retryDelayMs(1)]);
    expect(retryDelayMs(20)).toBe(4000);
    engine.close();
  });

  it('tries no more once it was closed', () => {
    const socket = new FakeSocket();
    const wait = vi.fn<() => () => void>(() => () => {});
    const open = (): WebSocket => socket as unknown as WebSocket;
    const engine = connect(socketTransport('ws://x/engine', { open, wait }));
    engine.close();
    expect(wait).not.toHaveBeenCalled();
  });
});
