import { describe, expect, it, vi } from 'vitest';
import { createTokenizer } from '../../../renderer/state/tokenizer.ts';
import { createFakeEngine } from '../fakeEngine.ts';
import { records } from '../fakeModels.ts';

const base = 'SmolLM2-135M-Instruct';
const variant = 'SmolLM2-135M-Instruct/int4';

describe('the tokenizer view', () => {
  it('takes the model looked into with its parent or variant, and lets go of what is gone', () => {
    const tokenizer = createTokenizer(createFakeEngine().client);
    tokenizer.adopt(base, records);
    expect(tokenizer.store.getState()).toMatchObject({ models: [base, variant], other: null });
    tokenizer.adopt('tiny-stories', records);
    expect(tokenizer.store.getState().models).toEqual(['tiny-stories']);
    tokenizer.change({ models: [base, variant], other: 'tiny-stories' });
    tokenizer.adopt(base, records.slice(1, 2));
    expect(tokenizer.store.getState()).toMatchObject({ models: [base], other: null });
  });

  it('reads the text with every chosen model and holds all but the first against it', async () => {
    const tokenizer = createTokenizer(createFakeEngine().client);
    tokenizer.change({ models: [base, variant], text: 'One two three', measure: 'kl', shown: 1 });
    await tokenizer.run();
    expect(tokenizer.store.getState()).toMatchObject({
      measure: 'loss',
      shown: 0,
      losses: {
        kind: 'done',
        result: {
          models: [
            { model: base, kl: null },
            { model: variant, kl: expect.anything() },
          ],
        },
      },
    });
  });

  it('asks nothing without a model or a text', async () => {
    const tokenizer = createTokenizer(createFakeEngine().client);
    await tokenizer.run();
    tokenizer.change({ models: [base], text: '' });
    await tokenizer.run();
    expect(tokenizer.store.getState().losses).toEqual({ kind: 'idle' });
  });

  it('says why models of different vocabularies cannot be compared, and can be cancelled', async () => {
    const tokenizer = createTokenizer(createFakeEngine({ stepMs: 20 }).client);
    tokenizer.change({ models: [base, 'tiny-stories'] });
    await tokenizer.run();
    expect(tokenizer.store.getState().losses).toMatchObject({ failure: { code: 'usage' } });
    tokenizer.change({ models: [base] });
    const running = tokenizer.run();
    await vi.waitFor(() =>
      expect(tokenizer.store.getState().losses).toMatchObject({ progress: {} }),
    );
    tokenizer.cancel();
    await running;
    expect(tokenizer.store.getState().losses).toEqual({ kind: 'idle' });
  });
});
