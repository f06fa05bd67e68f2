import { readFileSync } from 'node:fs';
import type * as z from 'zod';
import type { EngineClient } from '../../preload/contract/index.ts';
import { recipeSchema, stepSchema, type Recipe } from '../../preload/contract/recipe.ts';
import { suggestion } from '../library/nearest.ts';
import { isFile, typedPath, UsageError } from './arguments.ts';

/** The recipe that was typed, by its name or its file, with what `--set` changes. */
export async function recipeOf(
  typed: string,
  changes: readonly string[],
  client: EngineClient,
): Promise<Recipe> {
  const written = isPath(typed) ? readRecipe(typed) : await named(typed, client);
  const changed = changes
    .map(parseChange)
    .reduce<unknown>((recipe, { path, value }) => withValue(recipe, path, value), written);
  const result = recipeSchema.safeParse(changed, { reportInput: true });
  if (result.success) return result.data;
  throw new UsageError(`${typed}: ${result.error.issues.map(issueText).join('; ')}`);
}

/** `passes.0.bits=2`: a path into the recipe and a value in JSON, or plain text. */
export function parseChange(text: string): { path: string[]; value: unknown } {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--set must be PATH=VALUE, as in passes.0.bits=2: ${text}`);
  const value = text.slice(at + 1);
  try {
    return { path: text.slice(0, at).split('.'), value: JSON.parse(value) };
  } catch {
    // What is no JSON is text: `passes.0.accuracy=exact`.
    return { path: text.slice(0, at).split('.'), value };
  }
}

const isPath = (typed: string): boolean => /[/\\]|\.json$/.test(typed);

function readRecipe(typed: string): unknown {
  let text: string;
  try {
    text = readFileSync(typedPath(typed), 'utf8');
  } catch (error) {
    throw new UsageError(`--recipe cannot be read: ${typed}`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--recipe is not JSON: ${typed}: ${problem}`, { cause: error });
  }
}

/** A recipe of the library, else a file of this name. */
async function named(typed: string, client: EngineClient): Promise<unknown> {
  const recipes = (await client.recipes.list()).map(({ recipe }) => recipe);
  const found = recipes.find(({ name }) => name === typed);
  if (found) return found;
  if (isFile(typedPath(typed))) return readRecipe(typed);
  const known = recipes.map(({ name }) => name).join(', ');
  throw new UsageError(`no recipe of this name: ${typed}; there are ${known}`);
}

/** A copy with another value at a path. */
function withValue(part: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(part)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index >= part.length) {
      throw new UsageError(`--set: there are ${part.length} here, from 0: ${key}`);
    }
    return part.with(index, withValue(part[index], rest, value));
  }
  const fields: [string, unknown][] =
    typeof part === 'object' && part !== null ? Object.entries(part) : [];
  const before = new Map(fields);
  return Object.fromEntries(before.set(key, withValue(before.get(key), rest, value)));
}

/** `passes.0.bits: what is wrong`. */
function issueText(issue: z.core.$ZodIssue): string {
  return `${issue.path.join('.') || 'recipe'}: ${wrongIn(issue)}`;
}

function wrongIn(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'pass') {
    const pass = passIn(issue.input) ?? 'none';
    return `there is no such pass: ${pass}${suggestion(pass, stepShapes.keys())}`;
  }
  if (issue.code !== 'unrecognized_keys') return issue.message;
  const options = stepShapes.get(passIn(issue.input) ?? '') ?? Object.keys(recipeSchema.shape);
  return `${issue.message}${suggestion(issue.keys[0], options)}`;
}

/** The names of all passes, and what the options of each are called. */
const stepShapes = new Map(
  stepSchema.options.map(({ shape }): [string, string[]] => [shape.pass.value, Object.keys(shape)]),
);

function passIn(step: unknown): string | null {
  return typeof step === 'object' && step !== null && 'pass' in step ? String(step.pass) : null;
}
