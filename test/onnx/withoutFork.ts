/**
 * Loaded before a script that writes models and then runs each in a child process: the children
 * end at once, so only the models are written.
 */
import childProcess, { type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';

function endedChild(): ChildProcess {
  const child = Object.assign(new EventEmitter(), {
    stderr: new EventEmitter(),
    pid: 0,
    kill() {},
  });
  setImmediate(() => child.emit('exit', 0, null));
  return child as unknown as ChildProcess;
}

childProcess.fork = endedChild;
syncBuiltinESMExports();
