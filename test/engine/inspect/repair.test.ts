import { describe, expect, test } from 'vitest';
import { spared } from '../../../main/engine/inspect/repair.ts';
import { recipeSchema, type StepInput } from '../../../preload/contract/recipe.ts';

const names = [0, 1].flatMap((block) =>
  ['attn.qkv', 'attn.o', 'mlp.gate_up', 'mlp.down'].map((name) => `blocks.${block}.${name}`),
);
const all = [...names, 'lm_head'];

const recipeOf = (passes: StepInput[], name = 'r') => recipeSchema.parse({ name, passes });

/** The steps after a repair, as far as they say what they are for. */
const steps = (passes: StepInput[], layers: string[], keep: 'float' | '8-bit') =>
  spared(recipeOf(passes), layers, all, keep).passes.map((step) => ({
    pass: step.pass,
    ...('targets' in step && { targets: step.targets }),
    ...('bits' in step && { bits: step.bits }),
    ...('head' in step && { head: step.head }),
  }));

describe('a recipe that spares layers', () => {
  test('leaves them out of every step that would touch them, and of no other', () => {
    const passes: StepInput[] = [
      { pass: 'prune-wanda', targets: ['blocks.1.**'] },
      { pass: 'quantize-gptq' },
      { pass: 'quantize-rtn', targets: ['lm_head'], bits: 8 },
    ];
    expect(steps(passes, ['blocks.0.attn.o'], 'float')).toEqual([
      { pass: 'prune-wanda', targets: ['blocks.1.**'] },
      { pass: 'quantize-gptq', targets: ['blocks.**', '!blocks.0.attn.o'], bits: 4 },
      { pass: 'quantize-rtn', targets: ['lm_head'], bits: 8 },
    ]);
  });

  test('rounds them to 8 bits behind the last of these, as the others are rounded', () => {
    const passes: StepInput[] = [
      { pass: 'smooth-quant' },
      { pass: 'quantize-awq', format: 'qdq', accuracy: 'exact' },
      { pass: 'quantize-embedding' },
    ];
    const layers = ['blocks.1.mlp.down', 'blocks.0.attn.o'];
    const { passes: found } = spared(recipeOf(passes), layers, all, '8-bit');
    expect(found.map(({ pass }) => pass)).toEqual([
      'smooth-quant',
      'quantize-awq',
      'quantize-rtn',
      'quantize-embedding',
    ]);
    expect(found[2]).toMatchObject({
      bits: 8,
      format: 'qdq',
      accuracy: 'exact',
      targets: ['blocks.0.attn.o', 'blocks.1.mlp.down'],
    });
  });

  test('drops a step that has nothing else to do', () => {
    const passes: StepInput[] = [
      { pass: 'prune-magnitude', targets: ['blocks.1.mlp.down'] },
      { pass: 'quantize-rtn' },
    ];
    expect(steps(passes, ['blocks.1.mlp.down'], 'float')).toEqual([
      { pass: 'quantize-rtn', targets: ['blocks.**', '!blocks.1.mlp.down'], bits: 4 },
    ]);
    const only = passes.slice(0, 1);
    expect(() => steps(only, ['blocks.1.mlp.down'], 'float')).toThrow(/nothing of the recipe/);
    expect(steps(only, ['blocks.1.mlp.down'], '8-bit')).toEqual([
      { pass: 'quantize-rtn', targets: ['blocks.1.mlp.down'], bits: 8 },
    ]);
  });

  test('is refused where no step works layer by layer, or on these', () => {
    const whole: StepInput[] = [{ pass: 'convert-float' }, { pass: 'prune-heads' }];
    const refusal = /can leave these layers out: convert-float, prune-heads/;
    expect(() => steps(whole, ['blocks.0.attn.o'], 'float')).toThrow(refusal);
    expect(() => steps(whole, ['blocks.0.attn.o'], '8-bit')).toThrow(refusal);
    const others: StepInput[] = [{ pass: 'quantize-rtn', targets: ['blocks.1.**'] }];
    for (const keep of ['float', '8-bit'] as const) {
      expect(() => steps(others, ['blocks.0.attn.o'], keep)).toThrow(/no step of the recipe/);
    }
  });

  test('keeps an embedding in float or at 8 bits, and an output matrix out of its codes', () => {
    const passes: StepInput[] = [{ pass: 'quantize-rtn' }, { pass: 'quantize-embedding', bits: 4 }];
    const rtn = { pass: 'quantize-rtn', targets: ['blocks.**'], bits: 4 };
    expect(steps(passes, ['embed'], 'float')).toEqual([rtn]);
    expect(steps(passes, ['embed'], '8-bit')).toEqual([
      rtn,
      { pass: 'quantize-embedding', bits: 8, head: true },
    ]);
    expect(steps(passes, ['lm_head'], 'float')).toEqual([
      rtn,
      { pass: 'quantize-embedding', bits: 4, head: false },
    ]);
    expect(steps(passes, ['lm_head'], '8-bit')).toEqual([
      rtn,
      { pass: 'quantize-embedding', bits: 8, head: true },
    ]);
    // Rounded by a step of its own, it must not get the embedding's codes instead.
    const own: StepInput[] = [{ pass: 'quantize-rtn', targets: ['**'] }, passes[1]];
    expect(steps(own, ['lm_head'], '8-bit')).toEqual([
      { pass: 'quantize-rtn', targets: ['**', '!lm_head'], bits: 4 },
      { pass: 'quantize-rtn', targets: ['lm_head'], bits: 8 },
      { pass: 'quantize-embedding', bits: 4, head: false },
    ]);
  });

  test('has a name of its own that fits, and the rest of the recipe', () => {
    const recipe = { ...recipeOf([{ pass: 'quantize-rtn' }], 'n'.repeat(120)), description: 'd' };
    const found = spared(recipe, ['lm_head', 'blocks.0.attn.o'], all, 'float');
    expect(found.name).toMatch(/^n{110}-repaired$/);
    expect(found).toMatchObject({ description: 'd', calibration: recipe.calibration });
    expect(recipeSchema.parse(found)).toEqual(found);
  });
});
