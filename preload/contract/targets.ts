import { LatheError } from './errors.ts';

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
