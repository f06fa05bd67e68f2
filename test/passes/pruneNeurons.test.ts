import { describe, expect, test } from 'vitest';
import { readDecoder } from '../../main/passes/decoder.ts';
import { neuronsPass } from '../../main/passes/pruneNeurons.ts';
import { worstRelative } from '../architectures/compare.ts';
import { changeOf, logitsOf, range, runPass, stepOf, withZeroColumns } from './pruning.ts';
import { tinyDecoder } from './tinyDecoder.ts';

/** Every third neuron of 96, moved on from block to block. */
const idle = (block: number): Set<number> =>
  new Set(range(0, 96).filter((neuron) => neuron % 3 === block % 3));

describe.each([{ dtype: 'F16' as const, mlpBias: true }, { tied: true }])(
  'cutting neurons (%o)',
  (options) => {
    const input = tinyDecoder({ ...options, layers: 3 });
    const masked = range(0, 3).reduce(
      (model, block) => withZeroColumns(model, `blocks.${block}.mlp.down`, idle(block)),
      input.model,
    );

    test.each([
      ['magnitude', 'layer'],
      ['activation', 'layer'],
      ['activation', 'global'],
    ] as const)(
      'takes exactly the neurons that do nothing, and changes no logit (%s, %s)',
      async (criterion, spread) => {
        const step = stepOf({ pass: 'prune-neurons', ratio: 1 / 3, criterion, spread });
        const { model, config, layers } = await runPass(
          neuronsPass,
          { ...input, model: masked },
          step,
        );
        for (const { neurons, linears } of readDecoder(model).blocks) {
          expect(neurons).toBe(64);
          expect(linears.gateUp.rows).toBe(128);
        }
        expect(config['intermediate_size']).toBe(64);
        expect(worstRelative(await logitsOf(model), await logitsOf(masked))).toBeLessThan(1e-5);
        const outputs = layers.filter(({ layer }) => layer.endsWith('mlp.down'));
        expect(outputs.map(({ errorAfter }) => errorAfter! < 1e-3)).toEqual([true, true, true]);
      },
    );

    test('gives what the model gives whose neurons are masked', async () => {
      const step = stepOf({ pass: 'prune-neurons', ratio: 0.5 });
      const { model } = await runPass(neuronsPass, input, step);
      const columns = (from: typeof model, block: number): string[] => {
        const { down } = readDecoder(from).blocks[block].linears;
        const bytes = Buffer.from(down.weight!.bytes.read());
        const size = bytes.length / down.rows / down.columns;
        return range(0, down.columns).map((column) =>
          range(0, down.rows)
            .map((row) => {
              const at = (row * down.columns + column) * size;
              return bytes.subarray(at, at + size).toString('hex');
            })
            .join(),
        );
      };
      const reference = range(0, 3).reduce((one, block) => {
        const left = new Set(columns(model, block));
        expect(left.size).toBe(48);
        const gone = columns(input.model, block).flatMap((column, neuron) =>
          left.has(column) ? [] : [neuron],
        );
        expect(gone).toHaveLength(48);
        return withZeroColumns(one, `blocks.${block}.mlp.down`, new Set(gone));
      }, input.model);
      expect(worstRelative(await logitsOf(model), await logitsOf(reference))).toBeLessThan(1e-5);
    });
  },
);

const input = tinyDecoder({ layers: 2 });

/** What block 0 loses with half of its neurons, measured and as reported. */
const halved = async (criterion: 'activation' | 'magnitude') => {
  const step = stepOf({ pass: 'prune-neurons', ratio: 0.5, criterion });
  const { model, layers } = await runPass(neuronsPass, input, step);
  const told = layers.find(({ layer }) => layer === 'blocks.0.mlp.down')!.errorAfter!;
  return { change: await changeOf(input.model, model, 'blocks.0.mlp_out'), told };
};

describe('cutting neurons', () => {
  test('keeps a multiple of what it is told to, and never cuts more than asked', async () => {
    const step = stepOf({ pass: 'prune-neurons', ratio: 0.25, multipleOf: 32 });
    const { model } = await runPass(neuronsPass, input, { ...step, ratio: 0.4 });
    expect(readDecoder(model).blocks.map(({ neurons }) => neurons)).toEqual([64, 64]);
    expect(() => neuronsPass.check(input, step)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining('none is cut') }),
    );
  });

  test('by activation loses less of the output than by magnitude, and says how much', async () => {
    const [byText, byWeights] = [await halved('activation'), await halved('magnitude')];
    expect(byText.change).toBeLessThan(byWeights.change);
    // Attention is cut in neither, so that the MLP sees the same inputs.
    expect(byText.told / byText.change).toBeCloseTo(1, 3);
  });
});
