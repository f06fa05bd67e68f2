import { describe, expect, test } from 'vitest';
import { readDecoder } from '../../main/passes/decoder.ts';
import { edited } from '../../main/passes/edit.ts';
import { headsPass } from '../../main/passes/pruneHeads.ts';
import { readLlamaConfig } from '../../main/architectures/llama/config.ts';
import { worstRelative } from '../architectures/compare.ts';
import { logitsOf, range, runPass, stepOf, withZeroColumns } from './pruning.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const kinds = [
  { heads: 8, keyValueHeads: 4, attentionBias: true, dtype: 'F16' as const },
  // Heads of 12 elements are padded to 16.
  { heads: 4, keyValueHeads: 4, headDim: 12, tied: true },
];

/** The columns of the output projection that a key-value head and its query heads own. */
function columnsOf(model: Parameters<typeof readDecoder>[0], block: number, group: number) {
  const { heads, kvHeads, headDim } = readDecoder(model).blocks[block].attention;
  const width = (heads / kvHeads) * headDim;
  return new Set(range(group * width, width));
}

describe.each(kinds)('cutting heads (%o)', (options) => {
  const input = tinyDecoder({ ...options, layers: 3 });
  // Another group is the idle one in every block.
  const idle = [2, 0, 3];
  const masked = idle.reduce(
    (model, group, block) =>
      withZeroColumns(model, `blocks.${block}.attn.o`, columnsOf(model, block, group)),
    input.model,
  );

  test.each(['magnitude', 'activation'] as const)(
    'takes exactly the heads that do nothing, and changes no logit (%s)',
    async (criterion) => {
      const step = stepOf({ pass: 'prune-heads', ratio: 0.25, criterion });
      const { model, config, layers } = await runPass(headsPass, { ...input, model: masked }, step);
      const before = readDecoder(input.model).blocks;
      readDecoder(model).blocks.forEach(({ attention, linears }, block) => {
        expect(attention.kvHeads).toBe(3);
        expect(attention.heads).toBe((3 * before[block].attention.heads) / 4);
        expect(linears.o.columns).toBe((3 * before[block].linears.o.columns) / 4);
        expect(linears.qkv.rows).toBe((3 * before[block].linears.qkv.rows) / 4);
      });
      expect(worstRelative(await logitsOf(model), await logitsOf(masked))).toBeLessThan(1e-5);
      const outputs = layers.filter(({ layer }) => layer.endsWith('attn.o'));
      expect(outputs.map(({ errorAfter }) => errorAfter! < 1e-3)).toEqual([true, true, true]);
      const heads = (3 * Number(input.config['num_attention_heads'])) / 4;
      expect(readLlamaConfig(config, 'config.json')).toMatchObject({
        heads,
        keyValueHeads: 3,
        headDim: options.headDim ?? 8,
      });
    },
  );

  test('gives what the model gives whose heads are masked', async () => {
    const step = stepOf({ pass: 'prune-heads', ratio: 0.5 });
    const { model, layers } = await runPass(headsPass, input, step);
    // Which groups went is read off the weights that stay.
    const rows = (block: number, from: typeof model): string[] => {
      const { o } = readDecoder(from).blocks[block].linears;
      const bytes = Buffer.from(o.weight!.bytes.read());
      const size = bytes.length / o.rows / o.columns;
      const { heads, kvHeads, headDim } = readDecoder(from).blocks[block].attention;
      const width = (heads / kvHeads) * headDim * size;
      return range(0, kvHeads).map((group) =>
        bytes.subarray(group * width, (group + 1) * width).toString('hex'),
      );
    };
    const reference = range(0, 3).reduce((one, block) => {
      const left = rows(block, model);
      const gone = rows(block, input.model).flatMap((row, group) =>
        left.includes(row) ? [] : [group],
      );
      expect(gone).toHaveLength(2);
      const columns = new Set(gone.flatMap((group) => [...columnsOf(one, block, group)]));
      return withZeroColumns(one, `blocks.${block}.attn.o`, columns);
    }, input.model);
    expect(worstRelative(await logitsOf(model), await logitsOf(reference))).toBeLessThan(1e-5);
    for (const { errorAfter } of layers.filter(({ layer }) => layer.endsWith('attn.o'))) {
      expect(errorAfter).toBeGreaterThan(0.01);
    }
  });

  test('across all blocks takes the weakest, and says which sizes blocks have', async () => {
    const quiet = withZeroColumns(
      masked,
      'blocks.1.attn.o',
      new Set([1, 2].flatMap((group) => [...columnsOf(masked, 1, group)])),
    );
    const step = stepOf({ pass: 'prune-heads', ratio: 0.42, spread: 'global' });
    const { model, config, notes } = await runPass(headsPass, { ...input, model: quiet }, step);
    const kept = readDecoder(model).blocks.map(({ attention }) => attention.kvHeads);
    expect(kept).toEqual([3, 1, 3]);
    expect(config).toMatchObject({
      num_key_value_heads: 4,
      lathe: { blocks: kept.map((kvHeads) => ({ kvHeads })) },
    });
    expect(notes.join(' ')).toContain('differ in size');
    expect(worstRelative(await logitsOf(model), await logitsOf(quiet))).toBeLessThan(1e-5);
  });
});

describe('cutting heads', () => {
  const input = tinyDecoder({ layers: 3, heads: 8, keyValueHeads: 4 });

  test('leaves the first and last blocks alone where it is told to', async () => {
    const step = stepOf({ pass: 'prune-heads', ratio: 0.25, keepFirst: 1, keepLast: 1 });
    const { model } = await runPass(headsPass, input, step);
    const kept = readDecoder(model).blocks.map(({ attention }) => attention.kvHeads);
    expect(kept).toEqual([4, 3, 4]);
  });

  test('is predicted in shapes and bytes, without reading a weight', async () => {
    const step = stepOf({ pass: 'prune-heads', ratio: 0.5 });
    const { model } = await runPass(headsPass, input, step);
    const preview = headsPass.preview!(input, step);
    const shapes = ({ graph }: typeof model) =>
      [...graph.initializers.values()].map(({ name, dims }) => [name, dims]);
    expect(shapes(preview.model)).toEqual(shapes(model));
    const bytes = [...model.graph.initializers.values()].map((tensor) => tensor.bytes.length);
    expect(headsPass.estimate(input, step, 1024).bytes).toBe(bytes.reduce((a, b) => a + b, 0));
  });

  test('gives the same bytes every time', async () => {
    const step = stepOf({ pass: 'prune-heads', ratio: 0.5, spread: 'global' });
    const digest = async () => {
      const { model } = await runPass(headsPass, input, step);
      return [...model.graph.initializers.values()].map(({ bytes }) =>
        Buffer.from(bytes.read()).toString('base64'),
      );
    };
    expect(await digest()).toEqual(await digest());
  });

  test.each([
    ['a ratio that leaves nothing', { ratio: 1 }, 'must stay'],
    ['a ratio below one head', { ratio: 0.2 }, 'none is cut'],
    ['blocks that all stay', { keepFirst: 2, keepLast: 1 }, 'no block is left'],
  ])('refuses %s before work begins', (_, options, message) => {
    const step = stepOf({ pass: 'prune-heads', ...options });
    expect(() => headsPass.check(input, step)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) }),
    );
  });

  test('refuses a model whose attention is stored in another form', () => {
    const { blocks } = readDecoder(input.model);
    const model = edited(
      input.model,
      ...blocks.map(({ linears: { o } }) => ({
        remove: o.nodes,
        nodes: o.nodes.map((node) => ({ ...node, opType: 'MatMulNBits' })),
      })),
    );
    const step = stepOf({ pass: 'prune-heads' });
    expect(() => headsPass.check({ ...input, model }, step)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining('before') }),
    );
  });
});
