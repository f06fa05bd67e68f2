import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { generateRequestSchema, type GeneratedToken } from '../../preload/contract/generation.ts';
import { openDatabase, type Database } from '../../main/library/database.ts';
import { runStore } from '../../main/library/runs.ts';

let folder: string;
let path: string;
let database: Database;
const fail = (message: string): never => expect.fail(message);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-runs-'));
  path = join(folder, 'library.sqlite');
  database = openDatabase(path, fail);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const request = (text: string, model = 'tiny') =>
  generateRequestSchema.parse({ model, prompt: { kind: 'completion', text }, record: true });
const start = {
  kind: 'start',
  runId: null,
  promptTokens: 3,
  contextLength: 64,
  seed: 42,
  loadMs: 0,
} as const;
const token = (text: string): GeneratedToken => ({
  kind: 'token',
  id: 1,
  text,
  logprob: -0.5,
  alternatives: [],
  ms: 2,
});
const finish = (text: string) =>
  ({
    kind: 'finish',
    reason: 'max-tokens',
    text,
    timing: { loadMs: 0, ttftMs: 3 },
    promptTokens: 3,
    newTokens: 2,
  }) as const;

describe('the history of runs', () => {
  test('gives a finished run back as it was', () => {
    const store = runStore(database);
    const recorder = store.begin(request('hello'), start);
    recorder.token(token('a'));
    recorder.token(token('b'));
    recorder.finish(finish('ab'));
    expect(store.get(recorder.id)).toEqual({
      id: recorder.id,
      startedAt: expect.any(Number),
      request: request('hello'),
      seed: 42,
      promptTokens: 3,
      contextLength: 64,
      tokens: [token('a'), token('b')],
      text: 'ab',
      finish: 'max-tokens',
      error: null,
      timing: { loadMs: 0, ttftMs: 3 },
    });
  });

  test('writes what streams soon, not only at the end', async () => {
    const store = runStore(database, 20);
    const recorder = store.begin(request('hello'), start);
    recorder.token(token('a'));
    expect(store.get(recorder.id).text).toBe('');
    await vi.waitFor(() => expect(store.get(recorder.id).text).toBe('a'));
    recorder.token(token('b'));
    await vi.waitFor(() => expect(store.get(recorder.id).tokens).toHaveLength(2));
    expect(store.get(recorder.id)).toMatchObject({ finish: null, error: null });
  });

  test('keeps the text of a run that broke off, and why', () => {
    const store = runStore(database);
    const recorder = store.begin(request('hello'), start);
    recorder.token(token('a'));
    recorder.fail('the process ended');
    recorder.cancel();
    const expected = { text: 'a', finish: null, error: 'the process ended' };
    expect(store.get(recorder.id)).toMatchObject(expected);
    expect(store.list({ limit: 10 })).toMatchObject([expected]);
  });

  test('a run that finished is not changed by what comes after', () => {
    const store = runStore(database);
    const recorder = store.begin(request('hello'), start);
    recorder.finish(finish(''));
    recorder.fail('too late');
    recorder.cancel();
    expect(store.get(recorder.id)).toMatchObject({ finish: 'max-tokens', error: null });
  });

  test('shows a run as interrupted when the process that wrote it was killed', async () => {
    const child = fork(new URL('./writeRun.ts', import.meta.url), [path], { stdio: 'ignore' });
    const id = await new Promise<string>((resolve) =>
      child.once('message', (message) => resolve(message as string)),
    );
    const store = runStore(database);
    await vi.waitFor(() => expect(store.get(id).text).not.toBe(''), { timeout: 5000 });
    expect(store.get(id)).toMatchObject({ finish: null, error: null });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const after = store.get(id);
    expect(after).toMatchObject({ finish: null, error: expect.stringContaining('interrupted') });
    expect(after.tokens.map(({ text }) => text).join('')).toBe(after.text);
    expect(after.tokens.length).toBeGreaterThan(0);
  });

  test('lists the newest first, finds text in prompts and answers, takes wildcards literally', async () => {
    const store = runStore(database);
    for (const [prompt, answer] of [
      ['a cat', 'meow'],
      ['a dog', 'woof'],
      ['100% sure', '_'],
    ]) {
      store.begin(request(prompt), start).finish(finish(answer));
      await sleep(2);
    }
    const found = (search?: string): string[] =>
      store.list({ limit: 10, search }).map((run) => run.promptText);
    expect(found()).toEqual(['100% sure', 'a dog', 'a cat']);
    expect(found('woof')).toEqual(['a dog']);
    expect(found('CAT')).toEqual(['a cat']);
    expect(found('%')).toEqual(['100% sure']);
    expect(found('_')).toEqual(['100% sure']);
    expect(store.list({ limit: 1 })).toHaveLength(1);
  });

  test('forgets a removed run with its tokens', () => {
    const store = runStore(database);
    const recorder = store.begin(request('hello'), start);
    recorder.token(token('a'));
    recorder.finish(finish('a'));
    store.remove(recorder.id);
    expect(() => store.get(recorder.id)).toThrow(expect.objectContaining({ code: 'not_found' }));
    expect(database.all('SELECT * FROM run_tokens')).toEqual([]);
  });
});
