import { expect, test } from 'vitest';
import { attentionThrough } from '../../main/capture/through.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';
import { openModel } from './open.ts';

const ids = [1, 17, 33, 5, 5, 38, 0];

test('rollout and flow of a model are those of its layers’ mean patterns', async () => {
  const { capturer, close } = await openModel(tinyDecoder({ layers: 1, keyValueHeads: 2 }).model);
  const captured = await capturer.capture(ids);
  const mean = await capturer.patterns.square(captured, 0, 'mean');
  for (const method of ['rollout', 'flow'] as const) {
    const { tokens, data } = await attentionThrough(captured, capturer.patterns, method);
    expect(tokens).toBe(7);
    // Through one layer both are half the pattern, half the token itself.
    data.forEach((value, at) => {
      const own = at % 8 === 0 ? 0.5 : 0;
      expect(value).toBeCloseTo(mean[at] / 2 + own, 5);
    });
  }
  await close();
});

test('flow of a long text is refused before its patterns are computed', async () => {
  const { capturer, close } = await openModel(tinyDecoder().model);
  const captured = await capturer.capture(Array.from({ length: 65 }, (_, at) => at % 40));
  const blind = {
    ...capturer.patterns,
    square: () => Promise.reject(new Error('nobody was to look')),
  };
  await expect(attentionThrough(captured, blind, 'flow')).rejects.toMatchObject({
    code: 'usage',
    data: { value: '65', next: ['shorten-prompt'] },
  });
  await close();
});
