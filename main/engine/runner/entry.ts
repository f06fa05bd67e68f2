import type { SupportedMessagePort } from '@orpc/client/message-port';
import { RPCHandler } from '@orpc/server/message-port';
import { cloneTypedArrays } from '../../../preload/contract/transfer.ts';
import { oneByOne } from './oneByOne.ts';
import { dieWithParent } from './orphan.ts';
import { runnerRouter } from './router.ts';

const handler = new RPCHandler(runnerRouter, { experimental_transfer: cloneTypedArrays });

if ('parentPort' in process && process.parentPort) {
  // Electron's utility process: the port to the engine arrives with the first message.
  process.parentPort.once('message', (event) => {
    const [port] = event.ports;
    if (!port) throw new Error('the first message to a runner must bring a port');
    handler.upgrade(port as SupportedMessagePort);
    port.start();
  });
} else {
  // Ctrl-C reaches the whole process group; the parent decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
  dieWithParent();
  handler.upgrade({
    postMessage: (data: object) => void process.send?.(data, undefined, undefined, () => undefined),
    onMessage: { addListener: (listener) => void process.on('message', oneByOne(listener)) },
    onDisconnect: { addListener: (listener) => void process.on('disconnect', listener) },
  });
}
