import { RPCLink } from '@orpc/client/message-port';
import { enginePortMessage, type Bridge } from '../../preload/contract/bridge.ts';
import { cloneTypedArrays } from '../../preload/contract/transfer.ts';
import type { Transport } from './connection.ts';

/**
 * The desktop's way to the engine: the bridge asks the main process for a port. When the engine is
 * restarted a fresh port arrives unasked and replaces the one before.
 */
export const desktopTransport =
  (page: Pick<Window, 'addEventListener' | 'removeEventListener'>, bridge: Bridge): Transport =>
  (events) => {
    let current: MessagePort | null = null;
    const onMessage = (event: MessageEvent): void => {
      const [port] = event.ports;
      if (event.data !== enginePortMessage || !port) return;
      const before = current;
      current = port;
      before?.close();
      port.addEventListener('close', () => {
        if (current !== port) return;
        current = null;
        events.down(1);
      });
      const link = new RPCLink({ port, experimental_transfer: cloneTypedArrays });
      port.start();
      events.up(link);
    };
    page.addEventListener('message', onMessage);
    bridge.connect();
    return () => {
      page.removeEventListener('message', onMessage);
      const port = current;
      current = null;
      port?.close();
    };
  };
