import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isAlive } from '../../main/library/folders.ts';
import { childrenOf, start, type Running } from './lathe.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'lathe-processes-'));
});
afterAll(() => rmSync(home, { recursive: true }));

/** Text without end: the context slides, and the token that ends texts is forbidden. */
const endless = ['--prompt', 'One day', '--max-tokens', '1000000', '--overflow', 'slide'];

async function streaming(...more: string[]): Promise<{ running: Running; runners: number[] }> {
  const forever = ['generate', 'tiny-stories', ...endless, '--logit-bias', '0:-100', ...more];
  const running = start(home, forever);
  await running.streamed(200);
  const runners = childrenOf(running.child.pid ?? 0);
  expect(runners).toHaveLength(1);
  return { running, runners };
}

const gone = (pids: number[]): Promise<void> =>
  vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 10_000 });

describe('a command in mid-stream', () => {
  test('ends cleanly on Ctrl-C, with the text so far', async () => {
    const { running, runners } = await streaming();
    running.child.kill('SIGINT');
    const { code, out, err } = await running.ended;
    expect(code).toBe(130);
    expect(out.length).toBeGreaterThan(200);
    expect(err).toContain('cancelled');
    await gone(runners);
  });

  test('says so when its runner is killed, and keeps the text so far', async () => {
    const { running, runners } = await streaming();
    process.kill(runners[0]!, 'SIGKILL');
    const { code, out, err } = await running.ended;
    expect(code).toBe(1);
    expect(out.length).toBeGreaterThan(200);
    expect(err).toContain('the process that ran tiny-stories ended: SIGKILL');
  });

  test.each(['SIGKILL', 'SIGTERM', 'SIGHUP'] as const)(
    'leaves no process behind on %s',
    async (signal) => {
      const { running, runners } = await streaming();
      running.child.kill(signal);
      await running.ended;
      await gone(runners);
    },
  );

  test('leaves no process behind when the reader of its output goes away', async () => {
    const { running, runners } = await streaming();
    running.child.stdout?.destroy();
    await running.ended;
    await gone(runners);
  });
});

test('a command that is stopped before it began prints one JSON document all the same', async () => {
  const running = start(home, ['generate', 'tiny-stories', ...endless, '--json']);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  running.child.kill('SIGINT');
  const { code, json } = await running.ended;
  expect(code).toBe(130);
  expect(json).toBeTypeOf('object');
});
