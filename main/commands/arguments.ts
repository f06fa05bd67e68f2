import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs, type ParseArgsOptionDescriptor } from 'node:util';
import type * as z from 'zod';
import { homePath } from '../library/home.ts';
import { suggestion } from '../library/nearest.ts';

/** What was typed cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One option of a command. `placeholder` names its value; an option without one is a switch. */
export interface Option {
  readonly help: string;
  readonly placeholder?: string;
  readonly multiple?: boolean;
}

export type Options = Readonly<Record<string, Option>>;

/** What was typed, with the ways to read it that report mistakes uniformly. */
export interface Arguments {
  readonly positionals: readonly string[];
  has(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): string[];
  number(name: string): number | undefined;
}

/** Options that every command takes. */
export const commonOptions: Options = {
  json: { help: 'print one JSON document on stdout, progress as lines on stderr' },
  home: {
    placeholder: 'DIR',
    help: "the library's folder (default: LATHE_HOME, else the platform's)",
  },
  threads: { placeholder: 'N', help: 'threads to compute with (default: physical cores)' },
  device: { placeholder: 'D', help: 'cpu, webgpu, cuda, coreml or dml (default: cpu)' },
  help: { help: 'print this text' },
};

/** An option as it was typed. */
interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/** Reads a command line strictly: what is not an option of the command is a mistake. */
export function parseArguments(args: readonly string[], options: Options): Arguments {
  const { values, positionals } = parse(joinNegativeNumbers(args, options), options);
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    positionals,
    has: (name) => values[name] !== undefined,
    text,
    texts(name) {
      const value = values[name];
      return Array.isArray(value) ? value.map(String) : [];
    },
    number(name) {
      const value = text(name);
      return value === undefined ? undefined : toNumber(value, `--${name}`);
    },
  };
}

export function toNumber(text: string, what: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  throw new UsageError(`${what} must be a number: ${text}`);
}

/**
 * What a schema has against options that were typed: the first fault and its value, where the schema
 * was asked with `reportInput`. `optionOf` says what the option of a field is called,
 * by the path of the field.
 */
export function refusedBy(
  { issues: [issue] }: z.ZodError,
  optionOf: (path: readonly string[]) => string,
): UsageError {
  const option = optionOf(issue.path.map(String));
  return new UsageError(`--${option}: ${issue.message}: ${JSON.stringify(issue.input)}`);
}

/** The only positional argument. */
export function onlyPositional({ positionals }: Arguments, what: string): string {
  const [first, second] = positionals;
  if (first === undefined || first === '') throw new UsageError(`${what} is missing`);
  if (second !== undefined) throw new UsageError(`one ${what} only: ${second}`);
  return first;
}

export function noPositionals({ positionals }: Arguments): void {
  if (positionals[0] !== undefined) throw new UsageError(`unexpected argument: ${positionals[0]}`);
}

/** A path as typed. npm runs scripts in the project's folder and says where the user was. */
export function typedPath(path: string): string {
  const here = resolve(path);
  const start = process.env['INIT_CWD'];
  if (existsSync(here) || start === undefined) return here;
  const there = resolve(start, path);
  return existsSync(there) ? there : here;
}

/** Whether a file is there; a path that no file can have is none. */
export const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/** A place to write, as typed; where the user stands, likewise. */
export const newPath = (path: string): string => resolve(process.env['INIT_CWD'] ?? '.', path);

/** The library's folder, where the user stands; the usual one where none is typed. */
export const libraryFolder = (typed: string | undefined): string =>
  homePath(typed ? newPath(typed) : undefined);

/** What something new is to be called, in fields that the contract calls `name`. */
export function newName(args: Arguments): { name?: string } {
  const name = args.text('name');
  if (name === undefined) return {};
  if (name.length >= 1 && name.length <= 120) return { name };
  throw new UsageError(`--name must have 1 to 120 characters, not ${name.length}: ${name}`);
}

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

function parse(args: string[], options: Options): { values: Values; positionals: string[] } {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, option]): [string, ParseArgsOptionDescriptor] => [
      name,
      {
        type: option.placeholder === undefined ? 'boolean' : 'string',
        multiple: option.multiple ?? false,
        ...(name === 'help' ? { short: 'h' } : {}),
      },
    ]),
  );
  const parsed = parseArgs({
    args,
    options: config,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of parsed.tokens) if (token.kind === 'option') checkOption(token, options);
  return parsed;
}

/** Refuses an option that is none of the command's, or that lacks its value or has none to take. */
function checkOption({ name, rawName, value, inlineValue }: OptionToken, options: Options): void {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) {
    const known = Object.keys(options).map((one) => `--${one}`);
    throw new UsageError(`unknown option: ${rawName}${suggestion(rawName, known)}`);
  }
  const { placeholder } = option;
  if (placeholder === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value: ${value}`);
  } else if (value === undefined) {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${placeholder}`);
  } else if (!inlineValue && value.startsWith('-') && value !== '-') {
    throw new UsageError(
      `${rawName} needs a value; one that begins with a dash is written ${rawName}=${value}`,
    );
  }
}

/** `--presence-penalty -0.5`: a value, not an option of the name `0.5`. */
function joinNegativeNumbers(args: readonly string[], options: Options): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1) ?? '';
    const takesValue = options[before.slice(2)]?.placeholder !== undefined;
    if (takesValue && before.startsWith('--') && /^-[\d.]/.test(arg))
      joined.push(`${joined.pop()}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}
