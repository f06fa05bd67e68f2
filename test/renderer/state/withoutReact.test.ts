import { describe, expect, it, vi } from 'vitest';
import { createFakeEngine } from '../fakeEngine.ts';
import { noMemory } from '../../../renderer/state/memory.ts';
import { createStudio } from '../../../renderer/state/studio.ts';

// Anything below that asked for React would throw here.
vi.mock('react', () => {
  throw new Error('state must not load React');
});

const host = {
  mac: false,
  chooseFolder: null,
  openExternal: () => {},
  copy: () => Promise.resolve(),
};

describe('the studio without React', () => {
  it('loads, runs the first prompt on the embedded model, and lists the run', async () => {
    const engine = createFakeEngine({ text: 'Hello there.' });
    const studio = createStudio(engine, { host, memory: noMemory, frame: (then) => then() });
    await vi.waitFor(() => expect(studio.draft.store.getState().model).toBe('tiny-stories'));

    await studio.run();

    expect(studio.generation.store.getState()).toMatchObject({
      kind: 'finished',
      reason: 'max-tokens',
      text: 'Hello there.',
    });
    await vi.waitFor(() => expect(studio.history.store.getState().runs).toHaveLength(1));
    expect(studio.runners.store.getState().runners).toMatchObject([
      { kind: 'ready', model: 'tiny-stories' },
    ]);
    studio.close();
  });

  it('reopens a run with the prompt, the settings and the tokens it had', async () => {
    const engine = createFakeEngine({ text: 'Hello there.' });
    const studio = createStudio(engine, { host, memory: noMemory, frame: (then) => then() });
    await vi.waitFor(() => expect(studio.draft.store.getState().model).toBe('tiny-stories'));
    studio.draft.change({ text: 'Say hello', maxTokens: 7 });
    studio.draft.changeSampling({ temperature: 0.25 });
    await studio.run();
    const before = studio.generation.store.getState();
    studio.draft.change({ text: 'something else', maxTokens: 99 });
    studio.draft.changeSampling({ temperature: 1 });
    studio.generation.clear();

    await studio.reopen('run-1');

    expect(studio.draft.store.getState()).toMatchObject({
      text: 'Say hello',
      maxTokens: 7,
      sampling: { temperature: 0.25 },
    });
    const after = studio.generation.store.getState();
    expect(after).toMatchObject({ kind: 'finished', text: 'Hello there.' });
    if (before.kind === 'idle' || after.kind === 'idle') throw new Error('nothing was reopened');
    expect(after.run.blocks).toEqual(before.run.blocks);
    studio.close();
  });

  it('loads everything anew when the engine comes back', async () => {
    const engine = createFakeEngine();
    const studio = createStudio(engine, { host, memory: noMemory, frame: (then) => then() });
    await vi.waitFor(() => expect(studio.models.store.getState().models).toHaveLength(4));
    studio.models.store.setState({ models: [] });

    engine.setConnection({ kind: 'lost', attempt: 1 });
    expect(studio.connection.getState()).toEqual({
      connection: { kind: 'lost', attempt: 1 },
      wasReady: true,
    });
    engine.setConnection({ kind: 'ready' });

    await vi.waitFor(() => expect(studio.models.store.getState().models).toHaveLength(4));
    studio.close();
  });
});
