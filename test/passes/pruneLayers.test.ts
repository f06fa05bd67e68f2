import { describe, expect, test } from 'vitest';
import { readLlamaConfig } from '../../main/architectures/llama/config.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { layersPass } from '../../main/passes/pruneLayers.ts';
import { worstRelative } from '../architectures/compare.ts';
import { logitsOf, range, runPass, stepOf, withZeroColumns } from './pruning.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const input = tinyDecoder({ layers: 4, heads: 8, keyValueHeads: 4, dtype: 'F16' });

/** The model whose blocks of these numbers add nothing to the stream. */
const idle = (blocks: readonly number[]) =>
  blocks.reduce(
    (model, block) =>
      ['attn.o', 'mlp.down'].reduce(
        (one, layer) => withZeroColumns(one, `blocks.${block}.${layer}`, new Set(range(0, 200))),
        model,
      ),
    input.model,
  );

const influence = (note = ''): number => Number(/influence ([\d.e-]+)/.exec(note)?.[1]);

describe('taking out blocks', () => {
  test.each([[[0]], [[3]], [[1, 2]], [[0, 1]], [[2, 3]], [[0, 1, 2]], [[1, 2, 3]]])(
    'finds those that change nothing, and changes no logit (%o)',
    async (blocks) => {
      const masked = idle(blocks);
      const step = stepOf({ pass: 'prune-layers', count: blocks.length });
      const { model, config, layers } = await runPass(
        layersPass,
        { ...input, model: masked },
        step,
      );
      const left = 4 - blocks.length;
      expect(readDecoder(model).blocks).toHaveLength(left);
      expect(readLlamaConfig(config, 'config.json').layers).toBe(left);
      expect(layers.filter(({ bytes }) => bytes === 0).map(({ layer }) => layer)).toEqual(
        blocks.map((block) => `blocks.${block}`),
      );
      expect(worstRelative(await logitsOf(model), await logitsOf(masked))).toBeLessThan(1e-5);
      const names = model.graph.nodes.flatMap(({ outputs }) => outputs).filter(Boolean);
      expect(new Set(names).size).toBe(names.length);
      expect(names).toContain(`blocks.${left - 1}.resid_post`);
      expect(names.join(' ')).not.toContain(`blocks.${left}.`);
    },
  );

  test('takes the blocks it is told to take, without calibration text', async () => {
    const step = stepOf({ pass: 'prune-layers', layers: [1, 3] });
    const { model } = await runPass(layersPass, input, step);
    expect(worstRelative(await logitsOf(model), await logitsOf(idle([1, 3])))).toBeLessThan(1e-5);
  });

  test('takes the block of least influence among those that may go', async () => {
    const step = stepOf({ pass: 'prune-layers', count: 1, keepFirst: 1, keepLast: 1 });
    const { layers } = await runPass(layersPass, input, step);
    const gone = layers.findIndex(({ bytes }) => bytes === 0);
    const [, first, second] = layers.map(({ note }) => influence(note));
    expect(gone).toBe(first <= second ? 1 : 2);
  });

  test('is predicted in names, shapes and bytes', async () => {
    const step = stepOf({ pass: 'prune-layers', count: 2 });
    const { model } = await runPass(layersPass, input, step);
    const names = ({ graph }: typeof model) => [...graph.initializers.keys()].toSorted();
    expect(names(layersPass.preview!(input, step).model)).toEqual(names(model));
    const bytes = [...model.graph.initializers.values()].map((tensor) => tensor.bytes.length);
    expect(layersPass.estimate(input, step, 1024).bytes).toBe(bytes.reduce((a, b) => a + b, 0));
  });

  test.each([
    ['as many blocks as there are', { count: 4 }],
    ['a block that is not there', { layers: [4] }],
    ['more blocks than may go', { count: 2, keepFirst: 2, keepLast: 1 }],
  ])('refuses %s before work begins', (_, options) => {
    const step = stepOf({ pass: 'prune-layers', ...options });
    expect(() => layersPass.check(input, step)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
