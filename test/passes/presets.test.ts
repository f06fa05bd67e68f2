import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recipeJsonSchema, recipeSchema } from '../../preload/contract/recipe.ts';
import { checkRecipe, estimateRecipe } from '../../main/passes/sequence.ts';
import { tinyDecoder } from './tinyDecoder.ts';

const folder = join(import.meta.dirname, '../../resources/recipes');
const files = readdirSync(folder).toSorted();
const sizes = { layers: 4, hiddenSize: 128, heads: 8, intermediateSize: 192, tied: true };
const decoders = {
  'heads alone, tied': tinyDecoder(sizes),
  'grouped heads, plain, untied': tinyDecoder({ ...sizes, keyValueHeads: 4, tied: false }, 'plain'),
};

test('there is a recipe of every kind', () => {
  expect(files.map((file) => file.replace('.json', ''))).toEqual(
    expect.arrayContaining(
      'int8-dynamic int4-rtn int4-gptq int4-awq int4-hqq int4-mixed int8-smooth fp16 wanda-50 sparsegpt-50 heads-25 layers-2 small-as-possible'.split(
        ' ',
      ),
    ),
  );
});

describe.each(files)('%s', (file) => {
  const recipe = recipeSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));

  test('is named as its file and says what it is good for', () => {
    expect(`${recipe.name}.json`).toBe(file);
    expect(recipe.description).toMatch(/\.$/);
  });

  test.each(Object.entries(decoders))('can run on a decoder (%s)', async (_, input) => {
    await checkRecipe(input, recipe);
    const { steps, bytes, bytesBefore } = estimateRecipe(input, recipe);
    expect(steps.map(({ pass }) => pass)).toEqual(recipe.passes.map(({ pass }) => pass));
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(bytesBefore * 1.1);
  });

  test('begins with fuse, so that foreign graphs may come in', () => {
    expect(recipe.passes[0]).toEqual({ pass: 'fuse' });
  });
});

test('the schema for editors has a hover text for every option of every pass', () => {
  const schema = JSON.stringify(recipeJsonSchema());
  const missing: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key !== 'properties') {
        visit(value, `${path}/${key}`);
        continue;
      }
      for (const [name, field] of Object.entries<Record<string, unknown>>(value)) {
        if (field['description'] === undefined && name !== 'kind') missing.push(`${path}/${name}`);
        visit(field, `${path}/${name}`);
      }
    }
  };
  visit(JSON.parse(schema), '');
  expect(missing).toEqual([]);
});
