import { describe, expect, it } from 'vitest';
import { createWeights } from '../../../renderer/state/weights.ts';
import { createFakeEngine } from '../fakeEngine.ts';
import { records } from '../fakeModels.ts';

const variant = 'SmolLM2-135M-Instruct/int4';
const layer = 'blocks.2.mlp.down';

describe('weights', () => {
  it('are compared with those of the parent unless another model is chosen', async () => {
    const weights = createWeights(createFakeEngine().client);
    const ofParent = await weights.weights(variant, layer, null);
    expect(ofParent.difference?.model).toBe('SmolLM2-135M-Instruct');
    const ofOther = await weights.weights(variant, layer, 'tiny-stories');
    expect(ofOther.difference?.model).toBe('tiny-stories');
    expect((await weights.weights('tiny-stories', layer, null)).difference).toBeNull();
  });

  it('let go of a model to compare with that is gone', () => {
    const weights = createWeights(createFakeEngine().client);
    weights.change({ against: 'tiny-stories' });
    weights.adopt(records);
    expect(weights.store.getState().against).toBe('tiny-stories');
    weights.adopt(records.slice(1));
    expect(weights.store.getState().against).toBeNull();
  });

  it('say which layer there is not', async () => {
    const weights = createWeights(createFakeEngine().client);
    await expect(weights.weights(variant, 'blocks.99.mlp.down', null)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('know the nearest tokens by text and by id', async () => {
    const weights = createWeights(createFakeEngine().client);
    const byText = await weights.neighbours('tiny-stories', ' cat');
    expect(byText.token.text).toBe(' cat');
    const byId = await weights.neighbours('tiny-stories', 411);
    expect(byId.neighbours.map(({ cosine }) => cosine)).toEqual(
      byId.neighbours.map(({ cosine }) => cosine).toSorted((a, b) => b - a),
    );
  });
});
