import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { isAlive } from '../../../main/library/folders.ts';

test('a process that never returns to its event loop ends with its parent', async () => {
  const parent = fork(new URL('./orphanage.ts', import.meta.url), { stdio: 'ignore' });
  const [pid] = (await once(parent, 'message')) as [number];
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
});
