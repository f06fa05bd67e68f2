import { describe, expect, it, vi } from 'vitest';
import {
  generateRequestSchema,
  type EngineClient,
  type GenerateEvent,
} from '../../../preload/contract/index.ts';
import { createGeneration } from '../../../renderer/state/generation.ts';
import { textOf } from '../../../renderer/state/tokens.ts';
import { createFakeEngine, type FakeOptions } from '../fakeEngine.ts';

const request = generateRequestSchema.parse({
  model: 'tiny-stories',
  prompt: { kind: 'completion', text: 'Once' },
  alternatives: 3,
});

const start = (options: FakeOptions) => {
  const engine = createFakeEngine(options);
  const generation = createGeneration(engine.client, (then) => setTimeout(then, 0));
  const shown = () => {
    const state = generation.store.getState();
    return state.kind === 'idle' ? '' : textOf(state.run.blocks);
  };
  return { engine, generation, shown };
};

async function* brokenOff(): AsyncGenerator<GenerateEvent> {
  yield { kind: 'progress', stage: 'Loading' };
}

describe('generation', () => {
  it('goes from loading over prefilling and streaming to finished', async () => {
    const { generation } = start({ text: 'One two three.', tokenMs: 4 });
    const kinds = new Set<string>();
    generation.store.subscribe(({ kind }) => kinds.add(kind));

    await generation.start(request);

    expect([...kinds]).toEqual(['loading', 'prefilling', 'streaming', 'finished']);
  });

  it('appends at most once per frame however fast tokens come', async () => {
    const engine = createFakeEngine({ text: 'a b c d e f g h' });
    let frames = 0;
    const generation = createGeneration(engine.client, (then) => {
      frames += 1;
      setTimeout(then, 5);
    });
    let changes = 0;
    generation.store.subscribe(() => (changes += 1));

    await generation.start(request);

    // Cleared, started, then one change per frame and the rest at the end.
    expect(changes).toBeLessThanOrEqual(frames + 3);
    expect(changes).toBeLessThan(8);
  });

  it('keeps what had come when the user stops, and tells the engine', async () => {
    const { generation, shown, engine } = start({ tokenMs: 5 });
    const done = generation.start(request);
    await vi.waitFor(() => expect(shown().length).toBeGreaterThan(12));
    const before = shown();

    generation.stop();

    expect(generation.store.getState()).toMatchObject({ kind: 'finished', reason: 'cancelled' });
    expect(shown().startsWith(before)).toBe(true);
    await done;
    await vi.waitFor(async () =>
      expect(await engine.client.runs.list()).toMatchObject([{ finish: 'cancelled' }]),
    );
  });

  it('keeps what had come when the runner ends, says why, and runs again', async () => {
    const { generation, shown, engine } = start({ text: 'One two three four', crashAfter: 3 });

    await generation.start(request);

    expect(shown()).toBe('One two three');
    expect(generation.store.getState()).toMatchObject({
      kind: 'failed',
      failure: {
        code: 'runner_crashed',
        message: 'the process that ran tiny-stories was ended by SIGKILL',
        data: { next: ['retry'] },
      },
    });
    await generation.again();
    expect(engine.requests).toEqual([request, request]);
  });

  it('branches by sending the ids up to the token with the alternative in its place', async () => {
    const { generation, engine } = start({ text: 'One two three' });
    await generation.start(request);

    await generation.branch(2, { id: 2001, text: ' a', logprob: -1 });

    expect(engine.requests[1]?.prefix).toEqual([100, 101, 2001]);
    expect(engine.requests[1]?.prefixText).toBe('One two a');

    await generation.branch(1, { id: 2002, text: ' it', logprob: -1 });
    expect(engine.requests[2]).toMatchObject({
      prefix: [100, 101, 2001, 100, 2002],
      prefixText: 'One two aOne it',
    });
  });

  it('calls a stream that ends without a finish a lost engine', async () => {
    const { engine } = start({});
    const generate = Object.assign(() => Promise.resolve(brokenOff()), engine.client.generate);
    const client: EngineClient = { ...engine.client, generate };
    const generation = createGeneration(client, (then) => then());

    await generation.start(request);

    expect(generation.store.getState()).toMatchObject({
      kind: 'failed',
      failure: { code: 'engine_lost' },
    });
  });
});
