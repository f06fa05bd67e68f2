import { RPCHandler } from '@orpc/server/message-port';
import {
  toEngineSchema,
  type FromEngine,
  type ToEngine,
} from '../../preload/contract/processes.ts';
import { cloneTypedArrays } from '../../preload/contract/transfer.ts';
import { homePath } from '../library/home.ts';
import { createEngine } from './engine.ts';
import { createParentRunners } from './runner/forkElectron.ts';

/** The desktop's engine process: serves the contract on every port that the main process sends. */
const tell = (message: FromEngine): void => process.parentPort.postMessage(message);
setInterval(() => tell({ kind: 'alive' }), 1000);

const runners = createParentRunners(tell);
const engine = await createEngine({ home: homePath(), startRunner: runners.start });
const handler = new RPCHandler(engine.router, { experimental_transfer: cloneTypedArrays });

process.parentPort.on('message', ({ data, ports }) => hear(toEngineSchema.parse(data), ports[0]));
tell({ kind: 'ready' });

function hear(message: ToEngine, port: Electron.MessagePortMain | undefined): void {
  switch (message.kind) {
    case 'client':
      if (port === undefined) throw new Error('a client must come with a port');
      handler.upgrade(port);
      return port.start();
    case 'shutdown':
      return void engine.close().finally(() => process.exit(0));
    default:
      runners.hear(message, port);
  }
}
