import { fork } from 'node:child_process';
import { dieWithParent } from '../../../main/engine/runner/orphan.ts';

/** A parent whose child blocks its own thread for ever. */
if (process.argv[2] === 'child') {
  dieWithParent();
  // The watch starts on its own thread; its start needs this one for a moment.
  setTimeout(() => {
    process.send?.('blocking');
    setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 50);
  }, 500);
} else {
  const child = fork(import.meta.filename, ['child'], { stdio: 'ignore' });
  child.once('message', () => setTimeout(() => process.send?.(child.pid), 300));
}
