import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recipeSchema } from '../../preload/contract/recipe.ts';
import { inspectGraph } from '../../main/engine/runner/onnxFolder.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import type { Model } from '../../main/onnx/model.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { runRecipe } from '../../main/passes/sequence.ts';
import type { PassInput } from '../../main/passes/pass.ts';
import { worstRelative } from '../architectures/compare.ts';
import { continueGreedily, largestDifference } from '../inference/tinyDecoder.ts';
import { passContext } from './passContext.ts';
import { logitsOf, range, withZeroColumns } from './pruning.ts';
import { tinyDecoder } from './tinyDecoder.ts';

/** Runs passes as a recipe does, without calibration text. */
const prune = (input: PassInput, passes: readonly object[]): Promise<PassInput> =>
  runRecipe(input, recipeSchema.parse({ name: 'pruned', passes }), {
    ...passContext(),
    progress: () => {},
    layer: () => {},
  });

const across = { criterion: 'magnitude', spread: 'global' };

const withoutGuard = ({ graph, ...model }: Model): Model => ({
  ...model,
  graph: { ...graph, outputs: graph.outputs.filter(({ name }) => name !== 'fetch_guard') },
});

describe('a model whose blocks differ in size', () => {
  const whole = tinyDecoder({
    layers: 3,
    heads: 8,
    keyValueHeads: 4,
    headDim: 16,
    contextLength: 900,
    dtype: 'F16',
  });
  /** Most heads of the middle block do nothing. */
  const masked = withZeroColumns(whole.model, 'blocks.1.attn.o', new Set(range(32, 96)));
  let folder: string;
  let pruned: PassInput;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lathe-pruned-'));
    pruned = await prune({ ...whole, model: masked }, [
      { pass: 'prune-heads', ratio: 0.25, ...across },
      { pass: 'prune-neurons', ratio: 0.25, ...across },
    ]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const open = async (model: Model, name: string): Promise<Decoder> => {
    const file = join(folder, `${name}.onnx`);
    saveModel(model, file);
    return Decoder.open(file, { threads: 1, device: 'cpu', contextLength: 900 });
  };

  test('has other heads in one block than in the rest', () => {
    const kept = readDecoder(pruned.model).blocks.map(({ attention }) => attention.kvHeads);
    expect(kept).toEqual([4, 1, 4]);
  });

  test('decodes the same in place and copied, over growing and rewinding', async () => {
    const inPlace = await open(pruned.model, 'in-place');
    const copied = await open(withoutGuard(pruned.model), 'copied');
    expect([inPlace.fastCache, copied.fastCache]).toEqual([true, false]);
    const prompt = range(0, 505).map((at) => (at * 7) % 40);
    const ids = await continueGreedily(inPlace, prompt, 30);
    expect(await continueGreedily(copied, prompt, 30)).toEqual(ids);
    for (const decoder of [inPlace, copied]) decoder.rewind(300);
    const [again, other] = await Promise.all([inPlace.step(5), copied.step(5)]);
    const fresh = await open(pruned.model, 'fresh');
    const expected = await fresh.prefill([...prompt.slice(0, 300), 5]);
    expect(largestDifference(again, other)).toBeLessThan(1e-4);
    expect(largestDifference(again, expected)).toBeLessThan(1e-4);
    // Keys and values of nine heads of 16 elements, four bytes each, as long as the context.
    expect(inPlace.cacheBytes).toBe(2 * 9 * 16 * 4 * 900);
    await Promise.all([inPlace, copied, fresh].map((decoder) => decoder.close()));
  });

  test('is estimated by what its graph holds', () => {
    const { sizes } = inspectGraph(pruned.model, 'model.onnx', pruned.config);
    expect(sizes.cachePerToken).toBe(2 * 9 * 16);
  });

  test('shows the same logits in plain operators', async () => {
    const { model } = await prune(pruned, [{ pass: 'unfuse' }]);
    expect(worstRelative(await logitsOf(model), await logitsOf(pruned.model))).toBeLessThan(1e-4);
  });

  test('loses blocks, is factored and quantized like any other', async () => {
    const passes = [
      { pass: 'prune-layers', layers: [0] },
      { pass: 'low-rank', whiten: false, keep: 0.9, targets: ['blocks.*.attn.qkv'] },
      { pass: 'quantize-rtn', bits: 8, accuracy: 'exact' },
    ];
    const { model, config } = await prune(pruned, passes);
    expect(config['num_hidden_layers']).toBe(2);
    expect(model.graph.nodes.filter(({ opType }) => opType === 'MatMulNBits')).toHaveLength(6);
    const logits = await logitsOf(model);
    expect(logits.every(Number.isFinite)).toBe(true);
  });
});
