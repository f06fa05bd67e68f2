import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { encodeModel } from '../../main/onnx/save.ts';
import { tensorOf } from '../../main/onnx/tensor.ts';
import { nextTurn } from '../../main/numeric/linearAlgebra/multiply.ts';
import { edited, weightBytes } from '../../main/passes/edit.ts';
import type { Pass, PassInput, Passes } from '../../main/passes/pass.ts';
import { checkRecipe, estimateRecipe, runRecipe } from '../../main/passes/sequence.ts';
import {
  recipeSchema,
  type PassReport,
  type StepInput,
  type StepOf,
} from '../../preload/contract/recipe.ts';
import { sequenceContext } from './passContext.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const recipeOf = (...passes: StepInput[]) => recipeSchema.parse({ name: 'test', passes });

const quantized = recipeOf(
  { pass: 'fuse' },
  { pass: 'quantize-rtn', targets: ['blocks.*.mlp.*'] },
  { pass: 'quantize-rtn', bits: 8, targets: ['blocks.*.attn.*'] },
);

describe('a recipe that cannot work is refused before any work is done:', () => {
  const { model, config } = tinyDecoder({ keyValueHeads: 2, tied: true });
  const refused: Record<string, [StepInput[], string, RegExp]> = {
    'a glob that matches nothing': [
      [{ pass: 'quantize-rtn', targets: ['blocks.*.nothing'] }],
      'usage',
      /step 1 .*blocks\.\*\.nothing/,
    ],
    'a glob that leaves nothing': [
      [{ pass: 'quantize-rtn', targets: ['lm_head', '!lm_head'] }],
      'usage',
      /step 1/,
    ],
    'a layer that an earlier step stores in another form': [
      [
        { pass: 'quantize-rtn', targets: ['blocks.**'] },
        { pass: 'quantize-gptq', targets: ['blocks.0.mlp.down'] },
      ],
      'usage',
      /step 2 .*quantize-gptq.*blocks\.0\.mlp\.down/,
    ],
    'an output matrix that is quantized with its embedding': [
      [{ pass: 'quantize-embedding' }, { pass: 'quantize-rtn', targets: ['lm_head'] }],
      'usage',
      /step 2/,
    ],
    'a pass over the fused form behind unfuse': [
      [{ pass: 'unfuse' }, { pass: 'quantize-rtn' }],
      'graph_invalid',
      /step 2/,
    ],
  };
  test.each(Object.entries(refused))('%s', async (_, [steps, code, message]) => {
    const work = checkRecipe({ model, config }, recipeOf(...steps));
    await expect(work).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test.each([NaN, Infinity, -Infinity])(
    'a weight that is %s, named by its tensor',
    async (value) => {
      const name = 'model.layers.1.mlp.down_proj.weight';
      const broken = new Float32Array(64 * 96);
      broken[77] = value;
      const input = {
        model: edited(model, { initializers: [tensorOf(name, [64, 96], broken)] }),
        config,
      };
      const started: number[] = [];
      const work = runRecipe(
        input,
        quantized,
        sequenceContext({ progress: (_, step) => started.push(step) }),
      );
      await expect(work).rejects.toMatchObject({
        code: 'values_not_finite',
        data: { tensor: name, value: String(value) },
      });
      expect(started).toEqual([]);
    },
  );

  test('a pass that is not known', () => {
    const parsed = recipeSchema.safeParse({ name: 'x', passes: [{ pass: 'quantize-magic' }] });
    expect(parsed.error?.issues[0]?.path).toEqual(['passes', 0, 'pass']);
  });

  test('an option that a pass does not have', () => {
    const passes = [{ pass: 'quantize-rtn', bit: 4 }];
    expect(recipeSchema.safeParse({ name: 'x', passes }).success).toBe(false);
  });
});

describe('a recipe that runs', () => {
  const input = tinyDecoder({ keyValueHeads: 2 });

  test('reports every pass and layer, in order, with progress that only grows', async () => {
    const fractions: number[] = [];
    const seen: string[] = [];
    const { passes } = await runRecipe(
      input,
      quantized,
      sequenceContext({
        progress: (fraction) => fractions.push(fraction),
        layer: (step, { layer }) => seen.push(`${step} ${layer}`),
      }),
    );
    expect(passes.map(({ step }) => step.pass)).toEqual(['fuse', 'quantize-rtn', 'quantize-rtn']);
    expect(seen).toEqual([
      '1 blocks.0.mlp.gate_up',
      '1 blocks.0.mlp.down',
      '1 blocks.1.mlp.gate_up',
      '1 blocks.1.mlp.down',
      '2 blocks.0.attn.qkv',
      '2 blocks.0.attn.o',
      '2 blocks.1.attn.qkv',
      '2 blocks.1.attn.o',
    ]);
    expect(
      passes.flatMap(({ layers }, step) => layers.map(({ layer }) => `${step} ${layer}`)),
    ).toEqual(seen);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBeCloseTo(1);
    expect(passes[1].bytes).toBe(passes[2].bytesBefore);
    expect(passes[1].bytes).toBeLessThan(passes[1].bytesBefore);
  });

  test('does not change the model that came in', async () => {
    const before = encodeModel(input.model);
    await runRecipe(input, quantized, sequenceContext());
    expect(encodeModel(input.model)).toEqual(before);
  });

  test.each([1, 2, 3])('ends with the same bytes when it goes on behind step %d', async (from) => {
    const kept: { state: PassInput; report: PassReport }[] = [];
    const whole = await runRecipe(
      input,
      quantized,
      sequenceContext({ onPassDone: (_, state, report) => void kept.push({ state, report }) }),
    );
    const reports = kept.slice(0, from).map(({ report }) => report);
    const resumed = await runRecipe(kept[from - 1].state, quantized, sequenceContext(), {
      from,
      reports,
    });
    expect(encodeModel(resumed.model)).toEqual(encodeModel(whole.model));
    expect(resumed.passes).toHaveLength(3);
  });

  test('is as large as its estimate said', async () => {
    const estimate = estimateRecipe(input, quantized);
    const { passes } = await runRecipe(input, quantized, sequenceContext());
    passes.forEach(({ bytes }, step) => {
      expect(Math.abs(estimate.steps[step].bytes / bytes - 1)).toBeLessThan(0.02);
    });
    expect(estimate.bytes).toBe(estimate.steps.at(-1)?.bytes);
    expect(estimate.bytesBefore).toBe(weightBytes(input.model));
  });
});

describe('a pass', () => {
  const input = tinyDecoder();
  type Fuse = Pass<StepOf<'fuse'>>;
  const passWith = (run: Fuse['run']): Passes => ({
    fuse: {
      name: 'fuse',
      check: () => {},
      estimate: () => ({ bytes: 0, peakBytes: 0, seconds: 1 }),
      run,
    },
    unfuse: {
      name: 'unfuse',
      check: () => {},
      estimate: () => ({ bytes: 0, peakBytes: 0, seconds: 1 }),
      run: (state, _, context) => run(state, { pass: 'fuse' }, context),
    },
  });
  const recipe = recipeOf({ pass: 'fuse' }, { pass: 'unfuse' });
  const whole = { from: 0, reports: [] };

  test('is cancelled inside, and none runs after it', async () => {
    const controller = new AbortController();
    let turns = 0;
    const passes = passWith(async (state, _, { signal }) => {
      for (;;) {
        if (++turns === 3) controller.abort();
        await nextTurn(signal);
        if (turns > 10) return { ...state, layers: [], notes: [] };
      }
    });
    const context = sequenceContext({ signal: controller.signal });
    const work = runRecipe(input, recipe, context, whole, passes);
    await expect(work).rejects.toMatchObject({
      code: 'cancelled',
      message: 'the computation was cancelled',
    });
    expect(turns).toBe(3);
  });

  test('is not begun once the recipe is cancelled', async () => {
    const controller = new AbortController();
    const ran: number[] = [];
    const passes = passWith(async (state) => {
      ran.push(1);
      await turn();
      return { ...state, layers: [], notes: [] };
    });
    const context = sequenceContext({
      signal: controller.signal,
      onPassDone: () => controller.abort(),
    });
    await expect(runRecipe(input, recipe, context, whole, passes)).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(ran).toEqual([1]);
  });

  const broken: Record<string, (state: PassInput) => PassInput> = {
    'takes away a value that is used': ({ model, config }) => ({
      model: { ...model, graph: { ...model.graph, nodes: model.graph.nodes.slice(1) } },
      config,
    }),
    'leaves matrices that do not fit': ({ model, config }) => {
      const name = 'model.layers.0.mlp.down_proj.weight';
      const tensor = tensorOf(name, [64, 95], new Float32Array(64 * 95));
      return { model: edited(model, { initializers: [tensor] }), config };
    },
  };
  test.each(Object.entries(broken))('that %s fails, named', async (_, breaking) => {
    const passes = passWith((state) =>
      Promise.resolve({ ...breaking(state), layers: [], notes: [] }),
    );
    await expect(runRecipe(input, recipe, sequenceContext(), whole, passes)).rejects.toMatchObject({
      code: 'graph_invalid',
      message: expect.stringMatching(/^step 1 \(fuse\): /),
    });
  });
});
