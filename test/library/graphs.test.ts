import { fork } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cachedGraph, graphFile, graphKey } from '../../main/library/graphs.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lathe-graphs-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (text: string) => (folder: string) => writeFileSync(graphFile(folder), text);
const slow = (text: string) => async (folder: string) => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  write(text)(folder);
};
const never = (): never => expect.fail('built twice');

describe('the cache of graphs', () => {
  test('builds a graph once', async () => {
    const first = await cachedGraph(root, 'key', write('graph'));
    const second = await cachedGraph(root, 'key', never);
    expect(second).toBe(first);
    expect(readFileSync(graphFile(second), 'utf8')).toBe('graph');
  });

  test('keeps nothing of a build that failed', async () => {
    const build = cachedGraph(root, 'key', (folder) => {
      writeFileSync(graphFile(folder), 'half');
      throw new Error('weights are missing');
    });
    await expect(build).rejects.toThrow('weights are missing');
    expect(readdirSync(root)).toEqual([]);
  });

  test('says that the disk is full', async () => {
    const build = cachedGraph(root, 'key', () => {
      throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    });
    await expect(build).rejects.toMatchObject({ code: 'disk_full' });
    expect(readdirSync(root)).toEqual([]);
  });

  test('two builders in one process end with one whole graph', async () => {
    const [one, two] = await Promise.all([
      cachedGraph(root, 'key', slow('one')),
      cachedGraph(root, 'key', slow('two')),
    ]);
    expect(one).toBe(two);
    expect(readdirSync(root)).toEqual(['key']);
    expect(['one', 'two']).toContain(readFileSync(graphFile(one), 'utf8'));
  });

  test('builders in several processes end with one whole graph', async () => {
    const builders = Array.from({ length: 3 }, (_, number) => {
      const child = fork(new URL('./buildGraph.ts', import.meta.url), [root, String(number)]);
      return new Promise<string>((resolve, reject) => {
        child.once('message', (answer) => resolve(answer as string));
        child.once('exit', (code) => reject(new Error(`exit code ${code}`)));
      });
    });
    const contents = await Promise.all(builders);
    expect(new Set(contents).size).toBe(1);
    expect(contents[0]).toHaveLength(1_000_000);
    expect(readdirSync(root)).toEqual(['key']);
  });

  test('lets the graphs used longest ago go when there are too many bytes', async () => {
    const old = (name: string, age: number): void => {
      const time = new Date(Date.now() - age);
      utimesSync(join(root, name), time, time);
    };
    await cachedGraph(root, 'one', write('x'.repeat(100)));
    await cachedGraph(root, 'two', write('x'.repeat(100)));
    old('one', 2000);
    old('two', 1000);
    await cachedGraph(root, 'one', never);
    await cachedGraph(root, 'three', write('x'.repeat(100)), 250);
    expect(['one', 'two', 'three'].map((name) => existsSync(join(root, name)))).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('keeps the newest graph however large it is', async () => {
    const folder = await cachedGraph(root, 'large', write('x'.repeat(100)), 10);
    expect(existsSync(graphFile(folder))).toBe(true);
  });

  test('tells apart whatever changes the graph', () => {
    const recipe = {
      config: new Uint8Array([1]),
      weights: 'w',
      form: 'fused',
      builder: '1',
    } as const;
    const keys = [
      recipe,
      { ...recipe, config: new Uint8Array([2]) },
      { ...recipe, weights: 'v' },
      { ...recipe, form: 'plain' as const },
      { ...recipe, builder: '2' },
    ].map(graphKey);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
