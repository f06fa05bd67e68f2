import { describe, expect, it, vi } from 'vitest';
import { createInspect, staleOf, toggledHead } from '../../../renderer/state/inspect.ts';
import { noMemory } from '../../../renderer/state/memory.ts';
import { createStudio } from '../../../renderer/state/studio.ts';
import { createFakeEngine, type FakeOptions } from '../fakeEngine.ts';
import { records } from '../fakeModels.ts';

function open(options: FakeOptions = {}) {
  const engine = createFakeEngine(options);
  const inspect = createInspect(engine.client, noMemory);
  inspect.setModel('tiny-stories');
  inspect.setPrompt({ kind: 'completion', text: 'One two one two' });
  return { engine, inspect, state: () => inspect.store.getState() };
}

async function captured(options: FakeOptions = {}) {
  const page = open(options);
  await page.inspect.capture();
  const { main } = page.state();
  if (main.kind !== 'ready') throw new Error(`not captured: ${JSON.stringify(main)}`);
  return { ...page, capture: main.capture };
}

describe('a capture', () => {
  it('shows its stages, then itself, and explains its last position first', async () => {
    const { inspect, state } = open();
    const kinds: string[] = [];
    inspect.store.subscribe(({ main }) => {
      if (kinds.at(-1) !== main.kind) kinds.push(main.kind);
    });
    await inspect.capture();
    expect(kinds).toEqual(['none', 'running', 'ready']);
    expect(state().main).toMatchObject({
      kind: 'ready',
      capture: { layers: 5, tokens: { length: 4 } },
    });
    expect(state().position).toBe(3);
  });

  it('that is cancelled leaves nothing, and nothing of it arrives later', async () => {
    const { inspect, state } = open({ stepMs: 300 });
    const done = inspect.capture();
    await vi.waitFor(() => expect(state().main).toMatchObject({ progress: { kind: 'progress' } }));
    inspect.cancel();
    expect(state().main).toEqual({ kind: 'none' });
    await done;
    expect(state().main).toEqual({ kind: 'none' });
  });

  it('of a prompt longer than the context says so, and what to do', async () => {
    const short = { ...records[0], contextLength: 3 };
    const { inspect, state } = open({ models: [short] });
    await inspect.capture();
    expect(state().main).toMatchObject({
      kind: 'failed',
      failure: { code: 'context_overflow', data: { next: ['shorten-prompt'] } },
    });
  });

  it('keeps the head that was shown where the next model has it too, else shows the first', async () => {
    const { inspect, state } = await captured();
    inspect.show({ kind: 'head', layer: 4, head: 7 });
    await inspect.capture();
    expect(state().shown).toEqual({ kind: 'head', layer: 4, head: 7 });
    const smaller = open({ shape: { layers: 2, heads: 2 } });
    smaller.inspect.show({ kind: 'head', layer: 4, head: 7 });
    await smaller.inspect.capture();
    expect(smaller.state().shown).toEqual({ kind: 'head', layer: 0, head: 0 });
  });
});

describe('a capture that is no longer of what stands in the editor', () => {
  it('says which of the two has changed, and nothing once it is as it was', async () => {
    const { inspect, state } = await captured();
    expect(staleOf(state())).toBeNull();
    inspect.setPrompt({ kind: 'completion', text: 'Another' });
    expect(staleOf(state())).toBe('prompt');
    inspect.setModel('stories15M');
    expect(staleOf(state())).toBe('model');
    inspect.setModel('tiny-stories');
    inspect.setPrompt({ kind: 'completion', text: 'One two one two' });
    expect(staleOf(state())).toBeNull();
  });
});

describe('parts of a capture', () => {
  it('are rows that sum to one, one map for each head, and the mean of a layer', async () => {
    const { inspect, capture } = await captured();
    const { tokens, data } = await inspect.pattern(
      capture,
      { kind: 'head', layer: 1, head: 2 },
      'pattern',
    );
    expect(tokens).toBe(4);
    for (let row = 0; row < tokens; row += 1) {
      const sum = data.subarray(row * tokens, (row + 1) * tokens).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
    const mean = await inspect.pattern(capture, { kind: 'mean', layer: 1 }, 'pattern');
    expect(mean.data).not.toEqual(data);
  });

  it('are asked for once', async () => {
    const { inspect, capture } = await captured();
    expect(await inspect.sheet(capture)).toBe(await inspect.sheet(capture));
    expect(await inspect.direct(capture, 2)).toBe(await inspect.direct(capture, 2));
    expect(await inspect.direct(capture, 2)).not.toBe(await inspect.direct(capture, 1));
  });

  it('that are gone mark the capture as gone, so that it can be made again', async () => {
    const { engine, inspect, capture, state } = await captured();
    engine.forgetCaptures();
    await expect(inspect.sheet(capture)).rejects.toThrow('no such capture');
    expect(state().main).toEqual({ kind: 'gone', capture });
    await inspect.capture();
    expect(state().main.kind).toBe('ready');
  });
});

describe('heads switched off', () => {
  it('run the text of the capture again without them, whatever the editor says by now', async () => {
    const { inspect, capture, state } = await captured();
    inspect.setPrompt({ kind: 'completion', text: 'Something else' });
    inspect.setOff([{ layer: 0, head: 0 }]);
    await inspect.ablate();
    const { ablated, main } = state();
    expect(main).toEqual({ kind: 'ready', capture });
    if (ablated.kind !== 'ready') throw new Error('not ablated');
    expect(ablated.capture).toMatchObject({
      tokens: capture.tokens,
      ablated: [{ layer: 0, head: 0 }],
    });
    const predictions = await inspect.predictions(ablated.capture, capture);
    expect(predictions.every(({ kl }) => kl !== undefined && kl > 0)).toBe(true);
  });

  it('are forgotten with the last of them, and with the next capture', async () => {
    const { inspect, state } = await captured();
    inspect.setOff([{ layer: 0, head: 0 }]);
    await inspect.ablate();
    inspect.setOff([]);
    expect(state().ablated).toEqual({ kind: 'none' });
    inspect.setOff([{ layer: 0, head: 0 }]);
    await inspect.capture();
    expect(state().off).toEqual([]);
  });

  it('are toggled one by one', () => {
    const head = { layer: 1, head: 2 };
    expect(toggledHead([], head)).toEqual([head]);
    expect(toggledHead([{ layer: 0, head: 0 }, head], { ...head })).toEqual([
      { layer: 0, head: 0 },
    ]);
  });
});

describe('a run of the playground', () => {
  it('is looked into with what the model wrote', async () => {
    const engine = createFakeEngine({ text: ' and so on.' });
    const host = {
      mac: false,
      chooseFolder: null,
      openExternal: () => {},
      copy: () => Promise.resolve(),
    };
    const studio = createStudio(engine, { host, memory: noMemory, frame: (then) => then() });
    await vi.waitFor(() => expect(studio.draft.store.getState().model).toBe('tiny-stories'));
    studio.draft.change({ text: 'Once', mode: 'completion' });
    await studio.run();
    studio.inspectRun();
    expect(studio.navigation.store.getState().view).toBe('inspect');
    expect(studio.inspect.store.getState()).toMatchObject({
      model: 'tiny-stories',
      prompt: { kind: 'completion', text: 'Once and so on.' },
    });
    studio.draft.change({ mode: 'chat', messages: [{ role: 'user', content: 'Hello' }] });
    await studio.run();
    studio.inspectRun();
    expect(studio.inspect.store.getState().prompt).toEqual({
      kind: 'chat',
      messages: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: ' and so on.' },
      ],
    });
  });
});
