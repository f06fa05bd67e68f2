import { describe, expect, it, vi } from 'vitest';
import type { Losses } from '../../../preload/contract/index.ts';
import { createTextDivergence, peaksOf } from '../../../renderer/state/textDivergence.ts';
import { createFakeEngine } from '../fakeEngine.ts';
import { variants } from '../fakeMeasurements.ts';

const open = () => createTextDivergence(createFakeEngine({ models: variants }).client);

const modelOf = (name: string, kl: Float32Array<ArrayBuffer> | null): Losses['models'][number] => ({
  model: name,
  nats: new Float32Array(3),
  kl,
  byDecile: [],
});

describe('divergence along a text', () => {
  it('reads the base first, then its variants, every token but the first', async () => {
    const divergence = open();
    divergence.setText('Tom has a red ball.');
    await divergence.read('tiny-stories', ['tiny-stories/int4-rtn', 'tiny-stories/int2-gptq']);
    const { reading } = divergence.store.getState();
    if (reading.kind !== 'done') throw new Error(reading.kind);
    const { losses, text } = reading;
    expect(text).toBe('Tom has a red ball.');
    expect(losses.models.map(({ model, kl }) => [model, kl?.length])).toEqual([
      ['tiny-stories', undefined],
      ['tiny-stories/int4-rtn', losses.tokens.length - 1],
      ['tiny-stories/int2-gptq', losses.tokens.length - 1],
    ]);
  });

  it('says what went wrong', async () => {
    const divergence = open();
    await divergence.read('tiny-stories', ['no-such-model']);
    expect(divergence.store.getState().reading).toMatchObject({
      kind: 'failed',
      failure: { code: 'file_missing' },
    });
  });

  it('shows nothing of a reading that was stopped, or that another one followed', async () => {
    const divergence = open();
    const first = divergence.read('tiny-stories', ['tiny-stories/int4-rtn']);
    divergence.stop();
    await first;
    expect(divergence.store.getState().reading).toEqual({ kind: 'idle' });

    const older = divergence.read('tiny-stories', ['tiny-stories/int4-rtn']);
    const newer = divergence.read('tiny-stories', ['tiny-stories/int2-gptq']);
    await Promise.all([older, newer]);
    await vi.waitFor(() => {
      const { reading } = divergence.store.getState();
      if (reading.kind !== 'done') throw new Error(reading.kind);
      expect(reading.losses.models[1]?.model).toBe('tiny-stories/int2-gptq');
    });
  });

  it('is largest where any of the variants is', () => {
    const losses = {
      tokens: [],
      deciles: [],
      models: [
        modelOf('base', null),
        modelOf('a', Float32Array.of(0.5, 0.25, 0)),
        modelOf('b', Float32Array.of(0.125, 2, 0)),
      ],
    } satisfies Losses;
    expect(peaksOf(losses, 2)).toEqual([
      { position: 2, variant: 1, kl: 2 },
      { position: 1, variant: 0, kl: 0.5 },
    ]);
  });
});
