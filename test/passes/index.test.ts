import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { passOf } from '../../main/passes/index.ts';
import { stepSchema } from '../../preload/contract/recipe.ts';

const root = join(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'docs/passes.md'), 'utf8').split('\n');
const names = stepSchema.options.map(({ shape }) => shape.pass.value);

describe.each(names)('%s', (name) => {
  test('has a pass of its name, in a file of its name, and a row in the documentation', () => {
    expect(passOf(stepSchema.parse({ pass: name }))?.name).toBe(name);
    const file = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const known: Record<string, string> = { pruneSparsegpt: 'pruneSparseGpt' };
    expect(existsSync(join(root, `main/passes/${known[file] ?? file}.ts`))).toBe(true);
    expect(rows.filter((row) => row.startsWith(`| \`${name}\` `))).toHaveLength(1);
  });
});
