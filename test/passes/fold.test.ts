import { describe, expect, test } from 'vitest';
import { foldBlock } from '../../main/passes/awqScales.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { edited } from '../../main/passes/edit.ts';
import { readFloats } from '../../main/passes/linear.ts';
import { stepSchema, type StepOf } from '../../preload/contract/recipe.ts';
import type { TinyLlamaOptions } from '../models/tinyLlama.ts';
import { calibratedContext } from './calibrated.ts';
import { relativeDistance, runDecoder, runStep } from './runDecoder.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const decoders: [string, TinyLlamaOptions, folds: number][] = [
  ['equal heads', {}, 4],
  ['grouped heads and biases', { keyValueHeads: 2, attentionBias: true, mlpBias: true }, 3],
  ['padded heads', { hiddenSize: 32, intermediateSize: 48, headDim: 8, heads: 4 }, 4],
];

describe.each(decoders)('in a decoder with %s', (_, options, folds) => {
  test('AWQ’s scales, folded in, change weights and norms but not what the model gives', async () => {
    const { model } = tinyDecoder(options);
    const context = calibratedContext();
    const walk = await (await context.calibration()).blocks(model);
    const names = new Set(readDecoder(model).linears.map(({ name }) => name));
    // Two bits, so that the search finds something to scale.
    const awq = { pass: 'quantize-awq', bits: 2, groupSize: 16, steps: 8 };
    const step = stepSchema.parse(awq) as StepOf<'quantize-awq'>;
    const edits = await foldBlock(model, 0, walk, names, step, context);
    await walk.close();
    const folded = edited(model, ...edits);
    const changed = readDecoder(model).blocks[0].linears;
    const now = readDecoder(folded).blocks[0].linears;
    const touched = (['qkv', 'o', 'gateUp', 'down'] as const).filter((name) => {
      const [before, after] = [changed[name].weight, now[name].weight];
      if (before === null || after === null) throw new Error(name);
      return relativeDistance(readFloats(before), readFloats(after)) > 1e-3;
    });
    expect(touched.length).toBeGreaterThanOrEqual(folds - 1);
    const [was, is] = [await runDecoder(model), await runDecoder(folded)];
    expect(relativeDistance(was.logits, is.logits)).toBeLessThan(1e-5);
  });

  test('SmoothQuant’s scales change weights and norms but not what the model gives', async () => {
    const input = tinyDecoder(options);
    const result = await runStep(input, { pass: 'smooth-quant' }, calibratedContext());
    const [was, is] = [await runDecoder(input.model), await runDecoder(result.model)];
    expect(relativeDistance(was.logits, is.logits)).toBeLessThan(1e-5);
    expect(is.story).toEqual(was.story);
    const norms = (model: typeof input.model) =>
      readDecoder(model).blocks.map(({ norms: { mlp } }) => readFloats(mlp.weight));
    norms(input.model).forEach((before, block) => {
      expect(relativeDistance(before, norms(result.model)[block])).toBeGreaterThan(0.1);
    });
  });
});

test('with alpha 0 all of the difficulty leaves the weights: their channels end alike', async () => {
  const input = tinyDecoder();
  const { model } = await runStep(input, { pass: 'smooth-quant', alpha: 0 }, calibratedContext());
  const { gateUp } = readDecoder(model).blocks[0].linears;
  if (gateUp.weight === null) throw new Error('stored in another form');
  const data = readFloats(gateUp.weight);
  const most = new Float64Array(gateUp.columns);
  data.forEach((value, i) => {
    most[i % most.length] = Math.max(most[i % most.length], Math.abs(value));
  });
  most.forEach((value) => expect(value).toBeCloseTo(1, 5));
});

test('a norm whose constant another norm uses is not folded into', async () => {
  const input = tinyDecoder();
  const [first, second] = readDecoder(input.model).blocks;
  const shared = first.norms.attention.weight.name;
  const nodes = input.model.graph.nodes.map((node) =>
    node === second.norms.attention.node
      ? { ...node, inputs: [...node.inputs.slice(0, 2), shared] }
      : node,
  );
  const model = { ...input.model, graph: { ...input.model.graph, nodes } };
  await expect(
    runStep({ ...input, model }, { pass: 'smooth-quant' }, calibratedContext()),
  ).rejects.toMatchObject({ code: 'graph_invalid' });
});
