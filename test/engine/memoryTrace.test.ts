import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { thinned, traceMemory } from '../../main/engine/memoryTrace.ts';
import { statusOf } from '../../main/engine/runner/residentSet.ts';

test('a trace of many points keeps so many, in order, and every peak', () => {
  const ms = Array.from({ length: 10_007 }, (_, at) => at * 50);
  const bytes = ms.map((_, at) => (at % 4999 === 17 ? 9e9 + at : 1e6 + (at % 7)));
  const kept = thinned(ms, bytes, 2000);
  expect([kept.ms.length, kept.bytes.length]).toEqual([2000, 2000]);
  expect(kept.ms).toEqual(kept.ms.toSorted((a, b) => a - b));
  const peaks = kept.ms.filter((_, at) => (kept.bytes[at] ?? 0) > 8e9);
  expect(peaks).toEqual([17 * 50, 5016 * 50]);
});

test('a trace of few points is kept as it is', () => {
  expect(thinned([0, 50, 100], [3, 1, 2], 2000)).toEqual({ ms: [0, 50, 100], bytes: [3, 1, 2] });
  expect(thinned([], [], 2000)).toEqual({ ms: [], bytes: [] });
});

test('the system says the resident set and its peak in kilobytes', () => {
  const status = 'Name:\tnode\nVmPeak:\t  999999 kB\nVmHWM:\t    4096 kB\nVmRSS:\t    1024 kB\n';
  expect(statusOf(status)).toEqual({ bytes: 2 ** 20, peakBytes: 2 ** 22 });
  expect(statusOf('Name:\tnode\nState:\tZ (zombie)\n')).toEqual({ bytes: 0, peakBytes: 0 });
});

const hog = new URL('./hog.ts', import.meta.url);

test('each phase has the largest resident set of its own time', async () => {
  const child = fork(hog, { stdio: 'ignore' });
  const told = async (what: string): Promise<void> => {
    child.send(what);
    await once(child, 'message');
  };
  try {
    await told('rest');
    const memory = traceMemory(child.pid ?? 0, 20);
    await memory.phase('load');
    await told('take');
    await sleep(60);
    await told('free');
    await memory.phase('decode');
    await told('rest');
    const { phases, ms, bytes } = await memory.end();
    memory.close();
    expect(phases.map(({ phase }) => phase)).toEqual(['load', 'decode']);
    const [load, decode] = phases;
    // 256 MB were held in the first and given back before the second.
    expect(load.peakBytes - decode.peakBytes).toBeGreaterThan(200e6);
    expect(decode.startMs).toBeGreaterThan(load.startMs);
    expect(Math.max(...bytes)).toBeGreaterThan(256e6);
    expect(ms).toHaveLength(bytes.length);
  } finally {
    child.kill('SIGKILL');
  }
});
