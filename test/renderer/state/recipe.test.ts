import { describe, expect, it } from 'vitest';
import { recipeSchema } from '../../../preload/contract/index.ts';
import { noMemory, storageMemory } from '../../../renderer/state/memory.ts';
import {
  calibrationOptions,
  descriptionOf,
  labelOf,
  optionsOf,
} from '../../../renderer/state/passOptions.ts';
import { passNames } from '../../../renderer/state/passes.ts';
import { createRecipe, recipesToRun, recordOf } from '../../../renderer/state/recipe.ts';
import {
  addPass,
  movePass,
  removePass,
  setCalibration,
  setDescription,
  setName,
  setOption,
} from '../../../renderer/state/recipeEdits.ts';
import { issuesAt, shortRecipe, writeRecipe } from '../../../renderer/state/recipeText.ts';
import { createFakeEngine } from '../fakeEngine.ts';

const open = () => createRecipe(createFakeEngine().client, noMemory);
const written = ({ store }: ReturnType<typeof open>): unknown => JSON.parse(store.getState().text);

describe('form and text', () => {
  it('are one recipe: what the form changes is in the text, and the other way round', () => {
    const recipe = open();
    recipe.edit(setName('mine'));
    recipe.edit(addPass('prune-heads'));
    recipe.edit(setOption(0, 'bits', 8));
    recipe.edit(setCalibration('length', 128));
    expect(written(recipe)).toEqual({
      name: 'mine',
      description: expect.any(String),
      passes: [{ pass: 'quantize-rtn', bits: 8 }, { pass: 'prune-heads' }],
      calibration: { length: 128 },
    });

    recipe.setText('{ "name": "theirs", "passes": [{ "pass": "prune-layers", "count": 3 }] }');
    expect(recipe.store.getState().reading).toMatchObject({
      kind: 'right',
      draft: { name: 'theirs', passes: [{ pass: 'prune-layers', count: 3 }] },
      recipe: { passes: [{ count: 3, keepFirst: 0 }] },
    });
  });

  it('keep text and meaning through every pass with all of its defaults', () => {
    for (const pass of passNames) {
      const parsed = recipeSchema.parse({ name: pass, passes: [{ pass }] });
      expect(shortRecipe(parsed)).toEqual({ name: pass, passes: [{ pass }] });
      expect(recipeSchema.parse(JSON.parse(writeRecipe(shortRecipe(parsed))))).toEqual(parsed);
    }
  });

  it('leave out an option that is set to its default', () => {
    const recipe = open();
    recipe.edit(setOption(0, 'bits', 8));
    recipe.edit(setOption(0, 'targets', ['lm_head']));
    recipe.edit(setOption(0, 'bits', 4));
    recipe.edit(setOption(0, 'targets', undefined));
    recipe.edit(setDescription(''));
    expect(written(recipe)).toEqual({ name: 'int4-rtn', passes: [{ pass: 'quantize-rtn' }] });
  });

  it('move and remove passes', () => {
    const recipe = open();
    recipe.edit(addPass('fuse'));
    recipe.edit(addPass('prune-heads'));
    recipe.edit(movePass(2, 0));
    recipe.edit(removePass(1));
    recipe.edit(movePass(0, -1));
    expect(written(recipe)).toMatchObject({ passes: [{ pass: 'prune-heads' }, { pass: 'fuse' }] });
  });

  it('lock the form while the text cannot be read, and say why', () => {
    const recipe = open();
    const { draft } = recipe.store.getState().reading;
    const broken = '{ "name": "x", ';
    recipe.setText(broken);
    recipe.edit(setName('other'));
    expect(recipe.store.getState()).toMatchObject({
      text: broken,
      reading: { kind: 'unreadable', draft, message: expect.stringMatching(/JSON/) },
    });
    recipe.setText('{ "passes": [{ "pass": "quantise" }] }');
    expect(recipe.store.getState().reading).toMatchObject({
      kind: 'unreadable',
      message: 'passes[0] is no pass that Lathe knows: "quantise"',
    });
  });

  it('say what is wrong at the option that is', () => {
    const recipe = open();
    recipe.setText('{ "name": "", "passes": [{ "pass": "quantize-rtn", "bits": 5 }] }');
    const { reading } = recipe.store.getState();
    if (reading.kind !== 'wrong') throw new Error(reading.kind);
    expect(issuesAt(reading.issues, 'passes', 0, 'bits')).toHaveLength(1);
    expect(issuesAt(reading.issues, 'name')).toHaveLength(1);
    expect(issuesAt(reading.issues, 'passes', 0, 'groupSize')).toEqual([]);
    expect(recipesToRun(recipe.store.getState())).toEqual([]);
  });

  it('are remembered over restarts', async () => {
    const kept = new Map<string, string>();
    const memory = storageMemory({
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
    });
    const { client } = createFakeEngine();
    createRecipe(client, memory).setText('{ half');
    await expect.poll(() => kept.has('lathe.recipe')).toBe(true);
    expect(createRecipe(client, memory).store.getState().text).toBe('{ half');
  });
});

describe('the options of passes', () => {
  it('come from the schema, with their help and their defaults', () => {
    expect(optionsOf('quantize-rtn').find(({ key }) => key === 'groupSize')).toEqual({
      key: 'groupSize',
      description: expect.stringContaining('share one scale'),
      standard: 32,
      input: { kind: 'choice', values: [16, 32, 64, 128, 256] },
    });
    const kinds = optionsOf('quantize-mixed').map(({ key, input }) => [key, input.kind]);
    expect(Object.fromEntries(kinds)).toMatchObject({
      limit: 'variant',
      choices: 'choices',
      symmetric: 'switch',
      damping: 'number',
      targets: 'targets',
    });
    expect(optionsOf('prune-sparsegpt').find(({ key }) => key === 'quantize')?.input).toMatchObject(
      {
        kind: 'group',
        options: expect.arrayContaining([expect.objectContaining({ key: 'bits' })]),
      },
    );
    expect(labelOf('groupSize')).toBe('Group size');
  });

  it('all have a field and a sentence of help, and so has every pass', () => {
    for (const pass of passNames) {
      expect(descriptionOf(pass)).not.toBe('');
      for (const option of optionsOf(pass))
        expect([option.key, option.description]).not.toContain('');
    }
    expect(calibrationOptions().map(({ key }) => key)).toEqual([
      'data',
      'sequences',
      'length',
      'seed',
    ]);
  });
});

describe('the list of recipes', () => {
  it('tells which one is in view, keeps own ones and gives back what was replaced', async () => {
    const recipe = open();
    await recipe.load();
    const gptq = recipe.store
      .getState()
      .recipes.find((record) => record.recipe.name === 'int4-gptq');
    if (!gptq) throw new Error('no such recipe');
    const before = recipe.store.getState().text;
    const back = recipe.choose(gptq.recipe);
    expect(recordOf(recipe.store.getState())).toBe(gptq);

    recipe.edit(setName('mine'));
    expect(recordOf(recipe.store.getState())).toBeUndefined();
    await recipe.save();
    expect(recordOf(recipe.store.getState())).toMatchObject({ builtIn: false });
    const restore = await recipe.remove('mine');
    expect(recordOf(recipe.store.getState())).toBeUndefined();
    await restore();
    expect(recordOf(recipe.store.getState())).toMatchObject({ recipe: { name: 'mine' } });

    back();
    expect(recipe.store.getState().text).toBe(before);
  });
});

describe('a sweep', () => {
  it('makes a recipe of every point of the grid and names it by its values', () => {
    const recipe = open();
    recipe.setAxes([
      { step: 0, key: 'bits', values: [4, 8] },
      { step: 0, key: 'groupSize', values: [32, 64] },
      { step: 0, key: 'symmetric', values: [] },
    ]);
    const recipes = recipesToRun(recipe.store.getState());
    expect(
      recipes.map(({ name, passes }) => {
        const [pass] = passes;
        return [name, pass?.pass === 'quantize-rtn' && [pass.bits, pass.groupSize, pass.symmetric]];
      }),
    ).toEqual([
      ['int4-rtn-bits4-groupSize32', [4, 32, true]],
      ['int4-rtn-bits4-groupSize64', [4, 64, true]],
      ['int4-rtn-bits8-groupSize32', [8, 32, true]],
      ['int4-rtn-bits8-groupSize64', [8, 64, true]],
    ]);
  });

  it('makes nothing of a value that the option does not take', () => {
    const recipe = open();
    recipe.setAxes([{ step: 0, key: 'bits', values: [4, 5] }]);
    expect(recipesToRun(recipe.store.getState())).toEqual([]);
  });

  it('forgets an axis whose pass has gone', () => {
    const recipe = open();
    recipe.setAxes([{ step: 0, key: 'bits', values: [4, 8] }]);
    recipe.edit(setOption(0, 'format', 'qdq'));
    expect(recipe.store.getState().axes).toHaveLength(1);
    recipe.edit(removePass(0));
    expect(recipe.store.getState().axes).toEqual([]);
  });
});
