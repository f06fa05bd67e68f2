import { onlyPositional } from './arguments.ts';
import type { Command } from './command.ts';
import { print, printJson, table } from './output.ts';
import { recipeOf } from './recipe.ts';

export const command: Command = {
  summary: 'list the recipes, or print one as the JSON that compress takes',
  synopsis: '[<recipe>]',
  options: {},
  usesRunner: false,
  check(args) {
    if (args.positionals.length > 0) onlyPositional(args, 'recipe');
  },
  async run({ args, engine, json }) {
    const client = await engine();
    const [name] = args.positionals;
    if (name !== undefined) {
      const recipe = await recipeOf(name, [], client);
      if (json) printJson(recipe);
      else print(JSON.stringify(recipe, null, 2));
      return;
    }
    const recipes = (await client.recipes.list()).map(({ recipe }) => recipe);
    if (json) return printJson(recipes);
    const rows = recipes.map((recipe) => [recipe.name, recipe.description ?? '']);
    print(table(['recipe', 'what it does'], rows));
  },
};
