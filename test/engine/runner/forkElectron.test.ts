import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createParentRunners } from '../../../main/engine/runner/forkElectron.ts';
import type { FromEngine } from '../../../preload/contract/processes.ts';

/** A port that only notes that it was started. */
function fakePort(): { port: Electron.MessagePortMain; started: () => boolean } {
  let started = false;
  const port = { start: () => (started = true) } as unknown as Electron.MessagePortMain;
  return { port, started: () => started };
}

test('gives each caller the runner that was started for it', async () => {
  const told: FromEngine[] = [];
  const runners = createParentRunners((message) => told.push(message));
  const [first, second] = [runners.start(), runners.start()];
  expect(told).toEqual([
    { kind: 'start-runner', id: 1 },
    { kind: 'start-runner', id: 2 },
  ]);
  const ports = [fakePort(), fakePort()];
  runners.hear({ kind: 'runner-started', id: 2, pid: 22 }, ports[1]?.port);
  runners.hear({ kind: 'runner-started', id: 1, pid: 11 }, ports[0]?.port);
  expect([(await first).pid, (await second).pid]).toEqual([11, 22]);
  expect(ports.map((port) => port.started())).toEqual([true, true]);
});

test('rejects when the main process could not start one', async () => {
  const runners = createParentRunners(() => undefined);
  const start = runners.start();
  runners.hear({ kind: 'runner-failed', id: 1, message: 'no memory' }, undefined);
  await expect(start).rejects.toThrow('no memory');
});

test('reports how a runner ended', async () => {
  const runners = createParentRunners(() => undefined);
  const start = runners.start();
  runners.hear({ kind: 'runner-started', id: 1, pid: 11 }, fakePort().port);
  const runner = await start;
  runners.hear({ kind: 'runner-exited', id: 1, code: 9 }, undefined);
  expect(await runner.exited).toEqual({ code: 9, signal: null });
});

test('ends a living runner at once, and signals nobody after its end', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const runners = createParentRunners(() => undefined);
  const start = runners.start();
  const pid = child.pid ?? 0;
  runners.hear({ kind: 'runner-started', id: 1, pid }, fakePort().port);
  const runner = await start;
  runner.kill();
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  runners.hear({ kind: 'runner-exited', id: 1, code: 9 }, undefined);
  expect(() => runner.kill()).not.toThrow();
});
