import { describe, expect, test } from 'vitest';
import type { StepInput } from '../../preload/contract/recipe.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { GraphIndex } from '../../main/passes/graphIndex.ts';
import { storageOf, storedSize } from '../../main/passes/storage.ts';
import { calibratedContext } from './calibrated.ts';
import { runStep } from './runDecoder.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const groups = { groupSize: 32, symmetric: true } as const;

/** Steps, how a matrix of 64 × 96 is stored behind them in words, and its bits per weight. */
const cases: [StepInput[], string, number][] = [
  [[], 'float32', 32],
  [[{ pass: 'convert-float', type: 'bfloat16' }], 'bfloat16', 16],
  // Scales are float32: 32 bits for 32 weights.
  [[{ pass: 'quantize-rtn', bits: 4, ...groups }], 'int4 in groups of 32', 5],
  [[{ pass: 'quantize-rtn', bits: 2, ...groups }], 'int2 in groups of 32', 3],
  [[{ pass: 'quantize-rtn', bits: 8, format: 'qdq', ...groups }], 'int8 in groups of 32 (QDQ)', 9],
  // 64 rows with a scale each.
  [[{ pass: 'quantize-int8-dynamic' }], 'uint8, activations rounded as they come', 8.3],
  [[{ pass: 'quantize-int8-static' }], 'uint8 (QDQ)', 8.3],
  // 6144 weights by rank 19: (64 + 96) · 19.
  [[{ pass: 'low-rank', whiten: false, keep: 0.5 }], '2 factors, float32', 15.8],
];

describe('how a layer is stored', () => {
  test.each(cases)('after %j is %s', async (steps, words, bits) => {
    let input = tinyDecoder();
    for (const step of steps)
      input = { ...input, ...(await runStep(input, step, calibratedContext())) };
    const layer = readDecoder(input.model).linears.find(
      ({ name }) => name === 'blocks.1.mlp.down',
    )!;
    expect(storageOf(new GraphIndex(input.model), layer)).toBe(words);
    const size = storedSize(input.model, layer);
    expect(Math.abs(size.bits - bits)).toBeLessThan(0.35);
    expect(size.bytes).toBe((size.bits * 64 * 96) / 8);
  });
});
