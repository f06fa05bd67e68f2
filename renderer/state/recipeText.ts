import { recipeSchema, type PassName, type Recipe } from '../../preload/contract/index.ts';
import { optionsOf, sameValue } from './passOptions.ts';
import { isPassName } from './passes.ts';

/** A pass as it is written: any options, right or wrong; those left out have their defaults. */
export interface PassDraft {
  readonly pass: PassName;
  readonly [option: string]: unknown;
}

/** A recipe as it is written. Only its passes are known to be passes. */
export interface RecipeDraft {
  readonly name?: unknown;
  readonly description?: unknown;
  readonly calibration?: unknown;
  readonly passes: readonly PassDraft[];
  readonly [key: string]: unknown;
}

/** Something that a recipe must not be, and where: `['passes', 0, 'bits']`. */
export interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What the text of a recipe says. */
export type RecipeReading =
  /** No form can show it; `draft` is what it said before. */
  | { readonly kind: 'unreadable'; readonly message: string; readonly draft: RecipeDraft }
  /** It can be shown, but not run. */
  | { readonly kind: 'wrong'; readonly draft: RecipeDraft; readonly issues: readonly Issue[] }
  | { readonly kind: 'right'; readonly draft: RecipeDraft; readonly recipe: Recipe };

/** Reads the text of a recipe; `before` is the last draft that could be read. */
export function readRecipe(text: string, before: RecipeDraft): RecipeReading {
  const unreadable = (message: string): RecipeReading => ({
    kind: 'unreadable',
    message,
    draft: before,
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : String(error));
  }
  if (!isObject(value)) return unreadable('A recipe is an object: { "name": …, "passes": [ … ] }');
  const { passes = [] } = value;
  if (!Array.isArray(passes)) return unreadable('`passes` must be a list');
  const isPass = (pass: unknown): pass is PassDraft => isObject(pass) && isPassName(pass['pass']);
  if (!passes.every(isPass)) {
    const at = passes.findIndex((pass) => !isPass(pass));
    const wrong: unknown = passes[at];
    const name = isObject(wrong) ? wrong['pass'] : wrong;
    return unreadable(`passes[${at}] is no pass that Lathe knows: ${JSON.stringify(name)}`);
  }
  const draft: RecipeDraft = { ...value, passes };
  const { data, error } = recipeSchema.safeParse(value);
  if (data) return { kind: 'right', draft, recipe: data };
  const issues = error.issues.map(({ path, message }): Issue => ({
    path: path.map((part) => (typeof part === 'number' ? part : String(part))),
    message,
  }));
  return { kind: 'wrong', draft, issues };
}

/** The draft as text, as people write it. */
export const writeRecipe = (draft: RecipeDraft): string => `${JSON.stringify(draft, null, 2)}\n`;

/** A recipe with all that is at its default left out. */
export function shortRecipe({ name, description, calibration, passes }: Recipe): RecipeDraft {
  const standard = recipeSchema.shape.calibration.parse(undefined);
  const changed = Object.entries(calibration).filter(
    ([key, value]) => !sameValue(value, Object.entries(standard).find(([own]) => own === key)?.[1]),
  );
  return {
    name,
    ...(description !== undefined && { description }),
    ...(changed.length > 0 && { calibration: Object.fromEntries(changed) }),
    passes: passes.map((step) => {
      const options = optionsOf(step.pass);
      const kept = Object.entries(step).filter(
        ([key, value]) => !sameValue(value, options.find((option) => option.key === key)?.standard),
      );
      return { ...Object.fromEntries(kept), pass: step.pass };
    }),
  };
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The messages at a path, or anywhere below it. */
export const issuesAt = (issues: readonly Issue[], ...path: (string | number)[]): string[] =>
  issues
    .filter((issue) => path.every((part, index) => issue.path[index] === part))
    .map(({ message }) => message);
