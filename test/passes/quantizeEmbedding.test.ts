import { describe, expect, test } from 'vitest';
import { readDecoder } from '../../main/passes/decoder.ts';
import { weightBytes } from '../../main/passes/edit.ts';
import { stepSchema } from '../../preload/contract/recipe.ts';
import { passContext } from './passContext.ts';
import { passFor, relativeDistance, runDecoder, runStep } from './runDecoder.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const step = { pass: 'quantize-embedding', groupSize: 16, accuracy: 'exact' } as const;

describe.each([4, 8] as const)('an embedding in %i bits', (bits) => {
  test.each([true, false])(
    'shares one copy with a tied output matrix (symmetric: %s)',
    async (symmetric) => {
      const input = tinyDecoder({ tied: true, dtype: 'F32' });
      const options = { ...step, bits, symmetric };
      const { model, layers } = await runStep(input, options, passContext());
      const decoder = readDecoder(model);
      expect([decoder.embedding.weight, decoder.head.weight]).toEqual([null, null]);
      const large = [...model.graph.initializers.keys()].filter((name) => name.includes('embed'));
      expect(large.filter((name) => name.endsWith('.codes'))).toHaveLength(1);
      expect(layers).toMatchObject([{ layer: 'embed', note: 'shared with the output matrix' }]);
      const [was, is] = [await runDecoder(input.model), await runDecoder(model)];
      expect(relativeDistance(was.logits, is.logits)).toBeLessThan(bits === 8 ? 0.02 : 0.25);
      const [predicted, bytes] = [
        passFor(stepSchema.parse(options)).estimate(input, stepSchema.parse(options), 1024).bytes,
        weightBytes(model),
      ];
      expect(Math.abs(predicted - bytes)).toBeLessThanOrEqual(24);
    },
  );

  test('leaves a tied output matrix in float where that is asked for', async () => {
    const input = tinyDecoder({ tied: true });
    const { model, notes } = await runStep(input, { ...step, bits, head: false }, passContext());
    const { head, embedding } = readDecoder(model);
    expect(embedding.weight).toBeNull();
    expect(head.weight?.dims).toEqual([40, 64]);
    expect(notes).toHaveLength(1);
    expect((await runDecoder(model)).story).toHaveLength(6);
  });

  test('does not touch an untied output matrix, whatever form the table was stored in', async () => {
    for (const dtype of ['F32', 'F16', 'BF16'] as const) {
      const input = tinyDecoder({ dtype });
      const { model } = await runStep(input, { ...step, bits }, passContext());
      expect(readDecoder(model).head.weight).toEqual(readDecoder(input.model).head.weight);
      const [was, is] = [await runDecoder(input.model), await runDecoder(model)];
      expect(relativeDistance(was.logits, is.logits)).toBeLessThan(bits === 8 ? 0.02 : 0.25);
    }
  });
});

test('a group that does not divide the width, or a second time, is refused before work', async () => {
  const input = tinyDecoder({ hiddenSize: 48 });
  const refused = runStep(input, { ...step, groupSize: 32 }, passContext());
  await expect(refused).rejects.toMatchObject({ code: 'usage', message: /width of 48: 32/ });
  const once = await runStep(input, step, passContext());
  await expect(runStep(once, step, passContext())).rejects.toMatchObject({ code: 'usage' });
});
