import type * as z from 'zod';
import { LatheError } from '../../preload/contract/errors.ts';

/**
 * A config.json, or the part of it at `within`, in the shape a schema wants; `config_invalid` names
 * its first wrong field.
 */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  file: string,
  within: readonly string[] = [],
): z.output<Schema> {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalidConfig(file, [...within, ...issue.path].join('.'), issue.message, issue.input);
}

/** `config_invalid` for one field of a config.json, named by its path: `rope_scaling.factor`. */
export function invalidConfig(
  file: string,
  field: string,
  problem: string,
  found: unknown,
): LatheError {
  const value = (JSON.stringify(found) ?? 'nothing').slice(0, 200);
  const place = field === '' ? 'the file' : field;
  return new LatheError('config_invalid', `${place}: ${problem}: ${value} (${file})`, {
    file,
    value,
  });
}
