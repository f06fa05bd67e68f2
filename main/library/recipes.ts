import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LatheError } from '../../preload/contract/errors.ts';
import type { RecipeRecord } from '../../preload/contract/jobs.ts';
import { recipeSchema, type Recipe } from '../../preload/contract/recipe.ts';
import { readFile } from '../formats/files.ts';
import type { Database } from './database.ts';

/** Recipes are written by hand: the longest has some kilobytes. */
const MAX_RECIPE_BYTES = 2 ** 20;

export interface RecipeStore {
  /** Shipped ones first, then the user's, by name. */
  list(): RecipeRecord[];
  save(recipe: Recipe): RecipeRecord;
  remove(name: string): void;
}

export function recipeStore(database: Database, resources: string): RecipeStore {
  const folder = join(resources, 'recipes');
  const shipped = (): RecipeRecord[] =>
    (existsSync(folder) ? readdirSync(folder) : [])
      .filter((file) => file.endsWith('.json'))
      .toSorted()
      .map((file) => {
        const text = new TextDecoder().decode(readFile(join(folder, file), MAX_RECIPE_BYTES));
        return { recipe: recipeSchema.parse(JSON.parse(text)), builtIn: true };
      });

  const refuseShipped = (name: string): void => {
    if (!shipped().some(({ recipe }) => recipe.name === name)) return;
    throw new LatheError(
      'already_exists',
      `a recipe that ships with Lathe cannot be changed: ${name}`,
      { value: name },
    );
  };

  return {
    list: () => [
      ...shipped(),
      ...database
        .all('SELECT recipe FROM recipes ORDER BY name')
        .map((row) => recipeSchema.safeParse(JSON.parse(String(row['recipe']))))
        // One that was saved by another version may have passes that this one does not know.
        .flatMap(({ data }) => (data === undefined ? [] : [{ recipe: data, builtIn: false }])),
    ],
    save(recipe) {
      refuseShipped(recipe.name);
      database.run(
        'INSERT OR REPLACE INTO recipes (name, recipe) VALUES (?, ?)',
        recipe.name,
        JSON.stringify(recipe),
      );
      return { recipe, builtIn: false };
    },
    remove(name) {
      refuseShipped(name);
      if (database.run('DELETE FROM recipes WHERE name = ?', name) === 0) {
        throw new LatheError('not_found', `no recipe of this name: ${name}`, { value: name });
      }
    },
  };
}
