import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../main/library/folders.ts';
import { childrenOf, cli, start, type Running } from './lathe.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'lathe-processes-'));
});
afterAll(() => rmSync(home, { recursive: true }));

/** Text without end: the context slides, and the token that ends texts is forbidden. */
const slides = ['--prompt', 'One day', '--max-tokens', '1000000', '--overflow', 'slide'];
const endless = slides.concat('--logit-bias', '0:-100');

async function streaming(...more: string[]): Promise<{ running: Running; runners: number[] }> {
  const running = start(home, ['generate', 'tiny-stories', ...endless, ...more]);
  await running.streamed(200);
  const runners = childrenOf(running.child.pid ?? 0);
  expect(runners).toHaveLength(1);
  return { running, runners };
}

/** Those of the processes that still run after what should be long enough for their end. */
async function left(pids: number[]): Promise<number[]> {
  const until = Date.now() + 10_000;
  while (pids.some(isAlive) && Date.now() < until) await sleep(50);
  return pids.filter(isAlive);
}

describe('a command in mid-stream', () => {
  test('ends cleanly on Ctrl-C, with the text so far', async () => {
    const { running, runners } = await streaming();
    running.child.kill('SIGINT');
    const { code, out, err } = await running.ended;
    expect(code).toBe(130);
    expect(out.length).toBeGreaterThan(200);
    expect(err).toContain('cancelled');
    expect(await left(runners)).toEqual([]);
  });

  test('says so when its runner is killed, and keeps the text so far', async () => {
    const { running, runners } = await streaming();
    process.kill(runners[0], 'SIGKILL');
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
      expect(await left(runners)).toEqual([]);
    },
  );

  test('leaves no process behind when the reader of its output goes away', async () => {
    const { running, runners } = await streaming();
    running.child.stdout?.destroy();
    await running.ended;
    expect(await left(runners)).toEqual([]);
  });
});

test('a command that is stopped prints one JSON document all the same', async () => {
  const running = start(home, ['generate', 'tiny-stories', ...endless, '--json']);
  await sleep(1500);
  running.child.kill('SIGINT');
  const { code, json } = await running.ended;
  expect(code).toBe(130);
  expect(json).toBeTypeOf('object');
});

test('one Ctrl-C that comes twice, from the terminal and a parent, cancels all the same', async () => {
  const recipe = ['--recipe', 'int4-gptq', '--name', 'twice'];
  const { child, ended } = start(home, ['compress', 'tiny-stories', ...recipe, '--json']);
  let remarks = '';
  child.stderr?.on('data', (text: string) => (remarks += text));
  while (!remarks.includes('pass 2')) await once(child.stderr ?? child, 'data');
  child.kill('SIGINT');
  await sleep(5);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({
    code: 130,
    json: { error: { code: 'cancelled', message: 'cancelled: tiny-stories/twice' } },
  });
  expect(readdirSync(join(home, 'jobs'))).toEqual([]);
});

describe('what a command prints to', () => {
  test('may be gone for remarks: the work goes on', async () => {
    const recipe = ['--recipe', 'int8-weights', '--name', 'unread'];
    const { child, ended } = start(home, ['compress', 'tiny-stories', ...recipe]);
    child.stderr?.destroy();
    const { code, out } = await ended;
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('tiny-stories/unread') });
  });

  test.runIf(existsSync('/dev/full'))('may be full: it says so and fails', () => {
    const { status, stderr } = spawnSync(
      '/bin/sh',
      ['-c', '"$0" "$1" models > /dev/full', process.execPath, cli],
      { env: { ...process.env, LATHE_HOME: home }, encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining('lathe: the output cannot be written: ENOSPC'),
    });
  });
});
