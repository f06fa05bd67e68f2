import { recipeSchema, type Recipe } from '../../preload/contract/index.ts';
import { optionsOf, type Option } from './passOptions.ts';
import { setOption } from './recipeEdits.ts';
import type { RecipeDraft } from './recipeText.ts';

/** A value that a sweep may give an option. */
export type SweepValue = string | number | boolean;

/** One option of one pass that a sweep varies. */
export interface SweepAxis {
  /** Index of the pass. */
  readonly step: number;
  readonly key: string;
  readonly values: readonly SweepValue[];
}

/** Values to choose from along an axis; null where any number goes. */
export function valuesOf({ input }: Option): readonly SweepValue[] | null {
  switch (input.kind) {
    case 'choice':
      return input.values;
    case 'switch':
      return [false, true];
    default:
      return null;
  }
}

/** The options of a recipe that a sweep can vary. */
export const sweepable = ({ passes }: RecipeDraft): { step: number; option: Option }[] =>
  passes.flatMap(({ pass }, step) =>
    optionsOf(pass)
      .filter((option) => option.input.kind === 'number' || valuesOf(option) !== null)
      .map((option) => ({ step, option })),
  );

/** The axes that have something to vary. */
const active = (axes: readonly SweepAxis[]): SweepAxis[] =>
  axes.filter(({ values }) => values.length > 0);

/** How many recipes a sweep makes. */
export const sweepSize = (axes: readonly SweepAxis[]): number =>
  active(axes).reduce((product, { values }) => product * values.length, 1);

/**
 * The recipe at every point of the grid, the last axis fastest, each named by its values:
 * `int4-rtn bits 2 groupSize 32` is called `int4-rtn-bits2-groupSize32`. Throws where a value is
 * none that the option takes.
 */
export function sweepRecipes(draft: RecipeDraft, axes: readonly SweepAxis[]): Recipe[] {
  const grid = active(axes).reduce<{ draft: RecipeDraft; suffix: string }[]>(
    (points, { step, key, values }) =>
      points.flatMap((point) =>
        values.map((value) => ({
          draft: setOption(step, key, value)(point.draft),
          suffix: `${point.suffix}-${key}${String(value)}`,
        })),
      ),
    [{ draft, suffix: '' }],
  );
  return grid.map((point) =>
    recipeSchema.parse({
      ...point.draft,
      name: `${String(draft.name).slice(0, 120 - point.suffix.length)}${point.suffix}`,
    }),
  );
}
