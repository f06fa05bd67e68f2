import { RPCLink } from '@orpc/client/websocket';
import { typedArraySerializers } from '../../preload/contract/transfer.ts';
import type { Transport } from './connection.ts';

/** Waits between tries: short at first, because a restarted engine is back within seconds. */
export const retryDelayMs = (attempt: number): number => Math.min(4000, 125 * 2 ** attempt);

/** Address of the engine for a page address such as `http://127.0.0.1:4173/?token=…`. */
export function engineUrl(page: string): string {
  const url = new URL(page);
  const token = url.searchParams.get('token') ?? '';
  const scheme = url.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${url.host}/engine?token=${encodeURIComponent(token)}`;
}

export interface SocketOptions {
  open?: (url: string) => WebSocket;
  /** Calls back after so many milliseconds; returns what cancels it. */
  wait?: (ms: number, then: () => void) => () => void;
}

const timer = (ms: number, then: () => void): (() => void) => {
  const id = setTimeout(then, ms);
  return () => clearTimeout(id);
};

/** The browser shell's way to the engine: a WebSocket that is opened again until it stays. */
export const socketTransport =
  (
    url: string,
    { open = (to) => new WebSocket(to), wait = timer }: SocketOptions = {},
  ): Transport =>
  (events) => {
    let cancelWait: (() => void) | null = null;
    let socket: WebSocket | null = null;
    let stopped = false;

    const attempt = (failures: number): void => {
      const next = open(url);
      socket = next;
      let opened = false;
      // Made before the socket opens, so that it hears the close and fails what is under way.
      const link = new RPCLink({ websocket: next, customJsonSerializers: typedArraySerializers });
      next.addEventListener('open', () => {
        opened = true;
        events.up(link);
      });
      next.addEventListener('close', () => {
        if (stopped) return;
        const failed = opened ? 1 : failures + 1;
        events.down(failed);
        cancelWait = wait(retryDelayMs(failed), () => attempt(failed));
      });
    };
    attempt(0);
    return () => {
      stopped = true;
      cancelWait?.();
      socket?.close();
    };
  };
