import { describe, expect, test } from 'vitest';
import { readDecoder } from '../../main/passes/decoder.ts';
import { lowRankPass } from '../../main/passes/lowRank.ts';
import { singularValues } from '../../main/numeric/linearAlgebra/singularValues.ts';
import { worstRelative } from '../architectures/compare.ts';
import { changeOf, logitsOf, runPass, stepOf, weightOf } from './pruning.ts';
import { tinyDecoder } from './tinyDecoder.ts';

describe.each([
  { tied: true, attentionBias: true, mlpBias: true },
  { dtype: 'F16' as const, heads: 8, keyValueHeads: 2 },
])('factoring layers (%o)', (options) => {
  const input = tinyDecoder({ ...options, layers: 2 });
  const { linears } = readDecoder(input.model);

  test('stores fewer weights, and calls what it left by name', async () => {
    const step = stepOf({ pass: 'low-rank', keep: 0.5, targets: ['**'] });
    const { model, layers, notes } = await runPass(lowRankPass, input, step);
    for (const { bytes, bytesBefore } of layers) {
      expect(bytes).toBeLessThanOrEqual(bytesBefore / 2);
    }
    expect(layers).toHaveLength(linears.length - (options.tied ? 1 : 0));
    expect(notes.some((note) => note.includes('lm_head stays'))).toBe(options.tied === true);
    const bytes = [...model.graph.initializers.values()].map((tensor) => tensor.bytes.length);
    expect(lowRankPass.estimate(input, step, 1024).bytes).toBe(bytes.reduce((a, b) => a + b, 0));
    expect(
      readDecoder(model)
        .linears.slice(0, -1)
        .every(({ weight }) => weight === null),
    ).toBe(true);
  });

  test('loses the energy of the singular values it drops, without whitening', async () => {
    const step = stepOf({ pass: 'low-rank', keep: 0.5, whiten: false });
    const { layers } = await runPass(lowRankPass, input, step);
    for (const { layer, errorAfter, measure, note } of layers) {
      const { rows, columns } = linears.find(({ name }) => name === layer)!;
      const { values } = await singularValues({
        rows,
        columns,
        data: weightOf(input.model, layer),
      });
      const rank = Number(/rank (\d+)/.exec(note!)![1]);
      const energy = (from: number) =>
        values.slice(from).reduce((sum, value) => sum + value ** 2, 0);
      const expected = Math.sqrt(energy(rank) / energy(0));
      expect(measure).toBe('weight');
      expect(errorAfter! / expected).toBeCloseTo(1, 3);
    }
  });

  test('loses less of a layer’s output where it is whitened', async () => {
    for (const layer of ['attn.qkv', 'attn.o', 'mlp.gate_up', 'mlp.down']) {
      const [{ output }] = linears.filter(({ name }) => name === `blocks.0.${layer}`);
      const run = async (whiten: boolean) => {
        const targets = [`blocks.0.${layer}`];
        const step = stepOf({ pass: 'low-rank', keep: 0.6, whiten, targets });
        const { model, layers } = await runPass(lowRankPass, input, step);
        return { change: await changeOf(input.model, model, output), told: layers[0].errorAfter! };
      };
      const [whitened, plain] = [await run(true), await run(false)];
      expect(whitened.change).toBeLessThan(plain.change);
      // A bias is part of the value, not of the report.
      const biased = layer.startsWith('attn') ? options.attentionBias : options.mlpBias;
      expect(whitened.change / whitened.told).toBeGreaterThan(biased ? 0.5 : 0.99);
      expect(whitened.change / whitened.told).toBeLessThan(1.01);
    }
  }, 30_000);

  test('approaches the model as it keeps more', async () => {
    const logits = await logitsOf(input.model);
    const error = async (keep: number) => {
      const step = stepOf({ pass: 'low-rank', keep });
      const { layers, model } = await runPass(lowRankPass, input, step);
      const mean = layers.reduce((sum, one) => sum + one.errorAfter!, 0) / layers.length;
      return { mean, logits: worstRelative(await logitsOf(model), logits) };
    };
    const [little, much] = [await error(0.3), await error(0.95)];
    expect(much.mean).toBeLessThan(little.mean);
    expect(much.logits).toBeLessThan(little.logits);
  });
});

test('a share that leaves no rank is refused before work begins', () => {
  const input = tinyDecoder({ layers: 1 });
  const step = stepOf({ pass: 'low-rank', keep: 0.01 });
  expect(() => lowRankPass.check(input, step)).toThrow(expect.objectContaining({ code: 'usage' }));
});
