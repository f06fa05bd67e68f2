/**
 * `npm run bench:estimates`: how long each pass of the shipped recipes takes, beside what a dry run
 * predicts. On the embedded model or, with `--large`, on the synthetic model S; `--recipes a,b` runs
 * only these.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCalibration } from '../../main/engine/calibration/calibration.ts';
import { openMultiply } from '../../main/engine/calibration/multiply.ts';
import { physicalCores } from '../../main/engine/machine.ts';
import { inputFor, openInput } from '../../main/engine/runner/passInput.ts';
import { resourcesPath } from '../../main/library/resources.ts';
import { createRandom } from '../../main/numeric/random.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { estimateRecipe, runRecipe } from '../../main/passes/sequence.ts';
import { recipeSchema, type Recipe } from '../../preload/contract/recipe.ts';
import { writeModelS } from './modelS.ts';

const { values: options } = parseArgs({
  options: { large: { type: 'boolean', default: false }, recipes: { type: 'string' } },
});
const folder = options.large
  ? join(import.meta.dirname, '..', '..', '.bench', 'S')
  : join(resourcesPath(), 'models', 'tiny-stories');
if (options.large) writeModelS(folder);
const recipes = join(resourcesPath(), 'recipes');
const names =
  options.recipes?.split(',') ?? readdirSync(recipes).map((file) => file.replace('.json', ''));

console.log('recipe                pass                   predicted    took  took / predicted');
for (const name of names) {
  // One at a time: each has the machine for itself.
  // oxlint-disable-next-line no-await-in-loop
  await measure(
    recipeSchema.parse(JSON.parse(readFileSync(join(recipes, `${name}.json`), 'utf8'))),
  );
}

async function measure(recipe: Recipe): Promise<void> {
  const place = { threads: physicalCores(), device: 'cpu' } as const;
  const { signal } = new AbortController();
  const scratch = mkdtempSync(join(tmpdir(), 'lathe-estimates-'));
  const opened = openInput(folder);
  const multiply = await openMultiply(place);
  try {
    const input = await inputFor(opened, recipe.passes);
    const { steps } = estimateRecipe(input, recipe);
    const calibration = runCalibration(
      anyText(recipe, readDecoder(input.model).vocabularySize),
      {
        ...place,
        scratch,
      },
      signal,
    );
    const { passes } = await runRecipe(input, recipe, {
      signal,
      multiply,
      seed: 0,
      layer: () => {},
      progress: () => {},
      calibration: () => Promise.resolve(calibration),
    });
    for (const [at, { step, seconds }] of passes.entries()) {
      const predicted = steps[at].seconds;
      const figures = [predicted, seconds, seconds / predicted].map((one) => one.toFixed(2));
      console.log(
        `${recipe.name.padEnd(21)} ${step.pass.padEnd(22)} ${figures[0].padStart(9)} ${figures[1].padStart(7)} ${figures[2].padStart(9)}`,
      );
    }
  } finally {
    await multiply.close();
    opened.close();
    rmSync(scratch, { recursive: true });
  }
}

/** Random tokens: what the text says changes no time. */
function anyText({ calibration: { sequences, length } }: Recipe, vocabularySize: number) {
  const random = createRandom(1);
  const ids = Array.from({ length: sequences }, () =>
    Array.from({ length }, () => Math.floor(random.next() * vocabularySize)),
  );
  return { ids, length, available: sequences * length };
}
