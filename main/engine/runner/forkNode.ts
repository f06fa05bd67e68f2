import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { BrowserPortLike } from '@orpc/client/message-port';
import { runnerEnvironment } from './environment.ts';
import type { Exit, StartRunner } from './host.ts';
import { oneByOne } from './oneByOne.ts';

/** Runners must not outlive the process that asked for them. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/**
 * Starts runners as child processes of Node: for the command line and the browser shell.
 * `entry` is the runner's main file (entry.ts, or its bundle).
 */
export function forkNode(entry: URL): StartRunner {
  return async () => {
    // What a runner prints goes to stderr: stdout belongs to the command's own result.
    const child = fork(entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc'],
      env: runnerEnvironment(),
    });
    const exited = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => {
        children.delete(child);
        resolve({ code, signal });
      });
    });
    await once(child, 'spawn');
    children.add(child);
    // Without a listener a failed kill would end this process; how the child ends, `exited` tells.
    child.on(
      'error',
      (error) => void process.stderr.write(`runner ${child.pid}: ${error.message}\n`),
    );
    return {
      pid: child.pid ?? 0,
      port: portOf(child),
      exited,
      kill: () => {
        child.kill('SIGKILL');
      },
    };
  };
}

/** oRPC's idea of a port over the child's IPC channel. */
function portOf(child: ChildProcess): BrowserPortLike {
  return {
    // A message to a process that has just ended is lost with it: `exited` tells.
    postMessage: (data: object) => void child.send(data, () => undefined),
    onMessage: { addListener: (listener) => void child.on('message', oneByOne(listener)) },
    onDisconnect: { addListener: (listener) => void child.once('disconnect', listener) },
  };
}
