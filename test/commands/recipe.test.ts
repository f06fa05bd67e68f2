import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient, implement } from '@orpc/server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contract, type EngineClient } from '../../preload/contract/index.ts';
import { recipeSchema } from '../../preload/contract/recipe.ts';
import { recipeOf } from '../../main/commands/recipe.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-recipe-'));
  file = join(folder, 'recipe.json');
  writeFileSync(file, JSON.stringify(written));
});
afterEach(() => rmSync(folder, { recursive: true }));

const written = { name: 'mine', passes: [{ pass: 'quantize-rtn' }, { pass: 'prune-sparsegpt' }] };
const os = implement(contract);
const known = [{ recipe: recipeSchema.parse(written), builtIn: true }];
/** Knows recipes and nothing else. */
const client = createRouterClient({
  recipes: { list: os.recipes.list.handler(() => known) },
}) as unknown as EngineClient;

const read = (...changes: string[]) => recipeOf(file, changes, client);

describe('a recipe', () => {
  test('is read from a file, with defaults for what it leaves out', async () => {
    expect(await read()).toEqual(recipeSchema.parse(written));
  });

  test('is found by its name', async () => {
    expect(await recipeOf('mine', [], client)).toEqual(recipeSchema.parse(written));
  });

  test('is found by its name where a folder or a file has the same', async () => {
    const here = process.cwd();
    process.chdir(folder);
    try {
      mkdirSync('mine');
      expect(await recipeOf('mine', [], client)).toEqual(recipeSchema.parse(written));
      writeFileSync('other', '{');
      await expect(recipeOf('other', [], client)).rejects.toThrow('is not JSON: other');
      await expect(recipeOf('mime', [], client)).rejects.toThrow('no recipe of this name: mime');
    } finally {
      process.chdir(here);
    }
  });

  test('is changed by path, also where there was nothing', async () => {
    const changed = await read(
      'passes.0.bits=2',
      'passes.0.targets=["lm_head"]',
      'passes.0.accuracy=exact',
      'calibration.sequences=7',
      'passes.1.quantize.bits=8',
    );
    expect(changed.calibration.sequences).toBe(7);
    expect(changed.passes).toMatchObject([
      { bits: 2, targets: ['lm_head'], accuracy: 'exact' },
      { quantize: { bits: 8 } },
    ]);
  });

  test('is never changed through the prototype', async () => {
    await expect(read('__proto__.polluted=1')).rejects.toThrow('__proto__');
    expect('polluted' in {}).toBe(false);
  });

  test.each([
    ['passes.0.bits=3', 'passes.0.bits: '],
    ['passes.2.bits=4', 'there are 2 here, from 0: 2'],
    ['passes.0.pass=shrink', 'passes.0.pass: there is no such pass: shrink'],
    ['passes.0.pass=quantise-rtn', 'quantise-rtn; did you mean quantize-rtn?'],
    ['passes.0.bitz=3', 'passes.0: Unrecognized key: "bitz"; did you mean bits?'],
    ['calibrate=3', 'recipe: Unrecognized key: "calibrate"; did you mean calibration?'],
    ['passes=[]', 'passes: '],
    ['bits', 'PATH=VALUE'],
    ['=4', 'PATH=VALUE'],
  ])('changed by %s is refused, naming the place', async (change, message) => {
    await expect(read(change)).rejects.toThrow(message);
  });

  test.each([
    ['no JSON', '{', 'is not JSON'],
    ['no recipe', '[]', 'recipe: '],
  ])('that is %s is refused, naming the file', async (_, text, message) => {
    writeFileSync(file, text);
    await expect(read()).rejects.toThrow(message);
    await expect(read()).rejects.toThrow(file);
  });

  test('that is not there is refused', async () => {
    await expect(recipeOf(join(folder, 'none.json'), [], client)).rejects.toThrow('cannot be read');
    await expect(recipeOf('none', [], client)).rejects.toThrow('there are mine');
  });
});
