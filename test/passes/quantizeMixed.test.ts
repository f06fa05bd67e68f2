import { describe, expect, test } from 'vitest';
import { weightBytes } from '../../main/passes/edit.ts';
import type { StepInput } from '../../preload/contract/recipe.ts';
import { calibratedContext } from './calibrated.ts';
import { passContext } from './passContext.ts';
import { runDecoder, runStep } from './runDecoder.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const step = { pass: 'quantize-mixed', groupSize: 16 } as const;
const most = (value: number) => ({ limit: { kind: 'bits-per-weight' as const, most: value } });

describe.each(['weight-error', 'layer-error', 'logit-kl', 'fisher'] as const)(
  'bits chosen by %s',
  (sensitivity) => {
    test.each(['rtn', 'gptq', 'hqq'] as const)(
      'meet the limit, the more the better, with a table for each layer (%s)',
      async (method) => {
        const input = tinyDecoder({ tied: true });
        const context = calibratedContext();
        const sums: number[] = [];
        for (const limit of [6, 9]) {
          const options = { ...step, sensitivity, method, ...most(limit) };
          const { layers, model } = await runStep(input, options, context);
          const bytes = layers.reduce((sum, layer) => sum + layer.bytes, 0);
          const weights = layers.reduce((sum, layer) => sum + (8 * layer.bytes) / layer.bits, 0);
          expect((8 * bytes) / weights).toBeLessThanOrEqual(limit);
          for (const { sensitivity: table = [] } of layers) {
            expect(table.map(({ bits }) => bits)).toEqual([2, 4, 8]);
            expect(table[0].error).toBeGreaterThan(table[1].error);
            expect(table[1].error).toBeGreaterThan(table[2].error);
          }
          sums.push(layers.reduce((sum, layer) => sum + (layer.errorAfter ?? 0), 0));
          expect((await runDecoder(model)).story).toHaveLength(6);
        }
        expect(sums[1]).toBeLessThan(sums[0]);
      },
    );
  },
);

test('32 bits leave a layer in float, and a limit of error is met', async () => {
  const input = tinyDecoder();
  const limit = { kind: 'error' as const, most: 1e-9 };
  const options: StepInput = { ...step, sensitivity: 'weight-error', limit, choices: [4, 32] };
  const { layers, model } = await runStep(input, options, passContext());
  expect(layers.every(({ note, bits }) => note === 'left in float' && bits === 32)).toBe(true);
  expect(weightBytes(model)).toBe(weightBytes(input.model));
});

test('a limit that no choice meets is refused before work', async () => {
  const refused = runStep(tinyDecoder(), { ...step, ...most(1.5) }, passContext());
  await expect(refused).rejects.toMatchObject({ code: 'usage', message: /smallest possible/ });
});
