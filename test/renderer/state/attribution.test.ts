import { describe, expect, it, vi } from 'vitest';
import { createAttribution } from '../../../renderer/state/attribution.ts';
import { createFakeEngine } from '../fakeEngine.ts';

const prompt = { kind: 'completion', text: 'One two. Three four. Five' } as const;

describe('attribution', () => {
  it.each([
    ['token', 7],
    ['word', 5],
    ['sentence', 3],
  ] as const)('by %s covers the prompt with units of that level', async (level, count) => {
    const attribution = createAttribution(createFakeEngine().client);
    attribution.change({ level });
    await attribution.run('tiny-stories', prompt);
    const { attribution: work, asked } = attribution.store.getState();
    expect(asked).toMatchObject({ level, method: 'leave-one-out' });
    if (work.kind !== 'done') throw new Error('nothing was attributed');
    expect(work.result.units).toHaveLength(count);
    expect(work.result.units.map(({ text }) => text).join('')).toBe(prompt.text);
  });

  it('asks about the target that was chosen among the tokens that could come', async () => {
    const engine = createFakeEngine({ text: ' there was' });
    const attribution = createAttribution(engine.client);
    const candidates = await attribution.candidates('tiny-stories', prompt);
    expect(candidates.map(({ logprob }) => logprob)).toEqual(
      candidates.map(({ logprob }) => logprob).toSorted((a, b) => b - a),
    );
    expect(engine.requests).toMatchObject([{ maxTokens: 1, record: false }]);
    attribution.change({ target: candidates[1]?.id ?? null });
    await attribution.run('tiny-stories', prompt);
    expect(attribution.store.getState().asked?.target).toBe(candidates[1]?.id);
  });

  it('offers tokens to explain where the text would end, too', async () => {
    const attribution = createAttribution(createFakeEngine({ text: '' }).client);
    expect(await attribution.candidates('tiny-stories', prompt)).not.toHaveLength(0);
  });

  it('can be cancelled, and says why it failed', async () => {
    const attribution = createAttribution(createFakeEngine({ stepMs: 20 }).client);
    const running = attribution.run('tiny-stories', prompt);
    await vi.waitFor(() =>
      expect(attribution.store.getState().attribution).toMatchObject({ progress: {} }),
    );
    attribution.cancel();
    await running;
    expect(attribution.store.getState().attribution).toEqual({ kind: 'idle' });
    await attribution.run('tiny-stories', { kind: 'completion', text: 'word '.repeat(600) });
    expect(attribution.store.getState().attribution).toMatchObject({
      kind: 'failed',
      failure: { code: 'context_overflow' },
    });
  });
});
