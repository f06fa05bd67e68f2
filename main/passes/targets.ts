import { LatheError } from '../../preload/contract/errors.ts';
import { floatLinears, type Decoder } from './decoder.ts';
import type { FloatLinear } from './linear.ts';

/**
 * The names that patterns choose, in their order. `*` stands for any characters but the dot, `**`
 * for any at all; `!` before a pattern leaves out what it matches. Where all patterns leave out,
 * all else is chosen. `usage` for a pattern that matches no name, naming those there are.
 */
export function matchTargets(names: readonly string[], patterns: readonly string[]): string[] {
  const rules = patterns.map((pattern) => {
    const excludes = pattern.startsWith('!');
    const matches = globOf(excludes ? pattern.slice(1) : pattern);
    if (!names.some((name) => matches.test(name))) {
      const known = [...new Set(names.map((name) => name.replace(/\d+/, '*')))].join(', ');
      throw new LatheError('usage', `no layer has such a name: ${pattern}; there are ${known}`, {
        value: pattern,
      });
    }
    return { excludes, matches };
  });
  const included = rules.filter(({ excludes }) => !excludes);
  return names.filter(
    (name) =>
      (included.length === 0 || included.some(({ matches }) => matches.test(name))) &&
      !rules.some(({ excludes, matches }) => excludes && matches.test(name)),
  );
}

/**
 * The linear layers that patterns choose, of those whose weights are still floats. Patterns are
 * held against the names of all layers; `usage` where none of the chosen is left in float.
 */
export function targetedLinears(decoder: Decoder, patterns: readonly string[]): FloatLinear[] {
  const chosen = new Set(
    matchTargets(
      decoder.linears.map(({ name }) => name),
      patterns,
    ),
  );
  const linears = floatLinears(decoder).filter(({ name }) => chosen.has(name));
  if (linears.length === 0) {
    const value = patterns.join(', ');
    throw new LatheError('usage', `all of these layers are stored in another form: ${value}`, {
      value,
    });
  }
  return linears;
}

function globOf(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => {
      if (part === '**') return '.*';
      if (part === '*') return '[^.]*';
      return part.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
    })
    .join('');
  return new RegExp(`^${source}$`);
}
