import { describe, expect, test } from 'vitest';
import { readDecoder } from '../../main/passes/decoder.ts';
import type { PassOutput } from '../../main/passes/pass.ts';
import { magnitudePass } from '../../main/passes/pruneMagnitude.ts';
import { sparseGptPass } from '../../main/passes/pruneSparseGpt.ts';
import { wandaPass } from '../../main/passes/pruneWanda.ts';
import { blockModel } from '../../main/passes/subgraphs.ts';
import { worstRelative } from '../architectures/compare.ts';
import { calibratedContext } from './calibrated.ts';
import { openForPasses } from './embedded.ts';
import { logitsOf, runPass, stepOf, weightOf } from './pruning.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const input = tinyDecoder({ layers: 2, heads: 4, keyValueHeads: 2, headDim: 16 });
const names = readDecoder(input.model)
  .linears.slice(0, -1)
  .map(({ name }) => name);

type Pattern = 'unstructured' | '2:4' | '4:8';
type Options = { sparsity?: number; pattern?: Pattern; targets?: string[] };
const methods = {
  magnitude: (options: Options, from = input) =>
    runPass(magnitudePass, from, stepOf({ pass: 'prune-magnitude', ...options })),
  wanda: (options: Options, from = input) =>
    runPass(wandaPass, from, stepOf({ pass: 'prune-wanda', ...options })),
  sparsegpt: (options: Options, from = input) =>
    runPass(sparseGptPass, from, stepOf({ pass: 'prune-sparsegpt', ...options })),
};

const zeros = (values: Float32Array): number => values.filter((value) => value === 0).length;
const bytesOf = ({ model }: PassOutput) =>
  [...model.graph.initializers.values()].map(({ bytes }) =>
    Buffer.from(bytes.read()).toString('base64'),
  );

describe.each(Object.entries(methods))('%s', (_, prune) => {
  test.each([0.3, 0.5, 0.7])('zeroes the share asked for in every layer: %f', async (sparsity) => {
    const { model, layers } = await prune({ sparsity });
    expect(layers.map(({ layer }) => layer)).toEqual(names);
    for (const name of names) {
      const values = weightOf(model, name);
      expect(Math.abs(zeros(values) / values.length - sparsity)).toBeLessThan(0.02);
    }
    expect(weightOf(model, 'lm_head')).toEqual(weightOf(input.model, 'lm_head'));
  });

  test.each([
    ['2:4', 2, 4],
    ['4:8', 4, 8],
  ] as const)('keeps the pattern %s in every group', async (pattern, n, of) => {
    const { model } = await prune({ pattern });
    for (const name of names) {
      const values = weightOf(model, name);
      for (let at = 0; at < values.length; at += of) {
        expect(zeros(values.subarray(at, at + of))).toBeGreaterThanOrEqual(n);
      }
      expect(zeros(values) / values.length).toBeLessThan(n / of + 0.01);
    }
  });

  test('says that zeros alone bring nothing', async () => {
    const { notes } = await prune({});
    expect(notes.join(' ')).toMatch(/neither faster nor smaller/);
  });

  test('gives the same bytes every time', async () => {
    expect(bytesOf(await prune({}))).toEqual(bytesOf(await prune({})));
  });

  test('touches the layers it is told to and no other', async () => {
    const { model, layers } = await prune({ targets: ['blocks.1.mlp.*', '!blocks.1.mlp.down'] });
    expect(layers.map(({ layer }) => layer)).toEqual(['blocks.1.mlp.gate_up']);
    for (const name of names) {
      const same = name !== 'blocks.1.mlp.gate_up';
      expect(zeros(weightOf(model, name)) === zeros(weightOf(input.model, name))).toBe(same);
    }
  });

  test('does not count the zeros that pad heads', async () => {
    // Heads of 8 elements are padded to 16: half of these matrices are zeros that do nothing.
    const padded = tinyDecoder({ layers: 1, heads: 8, keyValueHeads: 4 });
    const { model } = await prune({ sparsity: 0.5 }, padded);
    for (const name of ['blocks.0.attn.qkv', 'blocks.0.attn.o']) {
      const before = weightOf(padded.model, name);
      const used = before.length - zeros(before);
      expect(used / before.length).toBeCloseTo(0.5, 2);
      const gone = zeros(weightOf(model, name)) - zeros(before);
      expect(Math.abs(gone / used - 0.5)).toBeLessThan(0.03);
    }
  });

  test.each([
    ['a share that leaves nothing', { sparsity: 1 }],
    ['layers that are not there', { targets: ['blocks.7.**'] }],
  ])('refuses %s before work begins', async (__, options) => {
    await expect(prune(options)).rejects.toThrow(expect.objectContaining({ code: 'usage' }));
  });

  test('leaves an output matrix alone that is the embedding too', async () => {
    const tied = tinyDecoder({ layers: 1, tied: true });
    const { model, notes } = await prune({ targets: ['**'] }, tied);
    expect(weightOf(model, 'lm_head')).toEqual(weightOf(tied.model, 'lm_head'));
    expect(notes.join(' ')).toContain('lm_head stays');
    await expect(prune({ targets: ['lm_head'] }, tied)).rejects.toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  });
});

test('a pattern that does not fit a layer is refused with its name', () => {
  const odd = tinyDecoder({ layers: 1, intermediateSize: 90 });
  expect(() =>
    magnitudePass.check(odd, stepOf({ pass: 'prune-magnitude', pattern: '2:4' })),
  ).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining('mlp.down') }),
  );
});

test('Wanda zeroes in each row the least |w|·‖x‖ of what the pruned layers before send', async () => {
  const { model } = await methods.wanda({ sparsity: 0.5 });
  const calibration = await calibratedContext().calibration();
  const walk = await calibration.blocks(model);
  let wrong = 0;
  for (const block of readDecoder(model).blocks) {
    for (const { name, input: value, rows, columns } of Object.values(block.linears)) {
      const squares = new Float64Array(columns);
      await walk.inputs(blockModel(model, block.index), [value], (_, { data }) => {
        data.forEach((x, i) => (squares[i % columns] += x * x));
      });
      const before = weightOf(input.model, name);
      const after = weightOf(model, name);
      for (let row = 0; row < rows; row++) {
        const score = (i: number) => Math.abs(before[row * columns + i]) * Math.sqrt(squares[i]);
        const order = Array.from(squares.keys()).toSorted((a, b) => score(a) - score(b));
        const expected = new Set(order.slice(0, columns / 2));
        for (let i = 0; i < columns; i++) {
          const at = row * columns + i;
          // Equal scores but for rounding may change places.
          const near = Math.abs(score(i) / score(order[columns / 2]) - 1) < 1e-4;
          if (!near && after[at] !== (expected.has(i) ? 0 : before[at])) wrong++;
        }
      }
    }
    await walk.advance(blockModel(model, block.index));
  }
  await walk.close();
  expect(wrong).toBe(0);
});

test.each([0.3, 0.5, 0.7])(
  'SparseGPT loses less of every layer’s output than magnitude at %f',
  async (sparsity) => {
    const { layers } = await methods.sparsegpt({ sparsity });
    for (const { errorBefore, errorAfter } of layers) {
      expect(errorAfter).toBeLessThan(errorBefore!);
    }
  },
);

test('SparseGPT loses less of every layer of a trained model than Wanda and magnitude', async () => {
  const opened = await openForPasses({ sequences: 16, length: 128 });
  const options = { sparsity: 0.5 };
  const wanda = await wandaPass.run(
    opened,
    stepOf({ pass: 'prune-wanda', ...options }),
    opened.context,
  );
  const sparse = await sparseGptPass.run(
    opened,
    stepOf({ pass: 'prune-sparsegpt', ...options }),
    opened.context,
  );
  await opened.close();
  expect(sparse.layers).toHaveLength(20);
  sparse.layers.forEach(({ errorBefore, errorAfter }, index) => {
    expect(errorAfter).toBeLessThan(errorBefore!);
    expect(errorAfter).toBeLessThan(wanda.layers[index].errorAfter!);
  });
});

describe('SparseGPT with quantization', () => {
  const step = stepOf({
    pass: 'prune-sparsegpt',
    sparsity: 0.5,
    quantize: { bits: 4, groupSize: 32, accuracy: 'exact' },
  });

  test('stores what it says, in the size it says', async () => {
    const { model, layers, notes } = await runPass(sparseGptPass, input, step);
    const stored = model.graph.nodes.filter(({ opType }) => opType === 'MatMulNBits');
    expect(stored).toHaveLength(names.length);
    const bytes = [...model.graph.initializers.values()].map((tensor) => tensor.bytes.length);
    expect(sparseGptPass.estimate(input, step, 1024).bytes).toBe(bytes.reduce((a, b) => a + b, 0));
    for (const { note, bits } of layers) {
      expect(parseFloat(note!)).toBeGreaterThan(45);
      expect(bits).toBeLessThan(6);
    }
    expect(notes.join(' ')).not.toMatch(/neither faster nor smaller/);
  });

  test('gives about what the pruned model gives', async () => {
    const { model } = await runPass(sparseGptPass, input, { ...step, sparsity: 0.1 });
    expect(worstRelative(await logitsOf(model), await logitsOf(input.model))).toBeLessThan(0.5);
  });
});
