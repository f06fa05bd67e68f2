import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { blameSchema, differenceSchema } from '../../preload/contract/inspect/index.ts';
import { lathe } from './lathe.ts';

// Each of these starts processes that load the runtime, beside others that do.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder: string;
let home: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-diff-'));
  home = join(folder, 'home');
  const recipe = join(folder, 'recipe.json');
  const passes = [{ pass: 'quantize-rtn', targets: ['**'] }];
  writeFileSync(recipe, JSON.stringify({ name: 'int4', passes }));
  await lathe(home, 'compress', 'tiny-stories', '--recipe', recipe, '--name', 'int4');
});
afterAll(() => rmSync(folder, { recursive: true }));

const models = ['tiny-stories', 'tiny-stories/int4'];
const list = z.array(z.number());
const schema = differenceSchema
  .omit({ id: true })
  .extend({ headDivergence: list.nullable(), residualCosine: list, blame: blameSchema.optional() })
  .strict();

describe('diff', () => {
  test('prints where two models part, who is to blame, and writes a page', async () => {
    const page = join(folder, 'page.html');
    writeFileSync(page, 'an older one');
    const words = ['diff', ...models, '--prompt', 'Once upon a time', '--new-tokens', '48'];
    const { code, json } = await lathe(home, ...words, '--blame', '--html', page, '--json');
    expect(code).toBe(0);
    const found = schema.parse(json);
    expect(found.tokens.length).toBeGreaterThan(40);
    expect(found.headDivergence).toHaveLength(40);
    expect(found.blame?.position).toBe(found.firstDivergence);
    expect(found.blame?.suspects.length).toBeGreaterThan(3);
    const html = readFileSync(page, 'utf8');
    expect(html).toMatch(/^<!doctype html>.*Who is to blame.*<\/html>\s*$/s);
    expect(readdirSync(folder).filter((name) => name.startsWith('page'))).toEqual(['page.html']);
  });

  test('tells it in words without --json', async () => {
    const words = ['diff', ...models, '--prompt', 'Once upon a time', '--new-tokens', '48'];
    const { code, out } = await lathe(home, ...words);
    expect(code).toBe(0);
    expect(out).toMatch(/they part at token \d+, \d+ behind the prompt/);
    expect(out).toMatch(/^layer {2}head/m);
    expect((await lathe(home, 'diff', models[0], models[0], '--prompt', 'Hi')).out).toContain(
      'both write the same 32 tokens',
    );
  });

  test.each([
    [['--prompt', 'x'], 'two models are compared'],
    [[...models, 'third', '--prompt', 'x'], 'not more: third'],
    [models, '--prompt or --prompt-file is missing'],
    [[...models, '--prompt', 'x', '--new-tokens', '-1'], '--new-tokens must be a whole number'],
    [[...models, '--prompt', 'x', '--html', '/no/such/folder/x.html'], '--html names no folder'],
  ])('refuses what cannot be meant: %s', async (words, message) => {
    const { code, err } = await lathe(home, 'diff', ...words);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
  });

  test('leaves no page behind a failure', async () => {
    const page = join(folder, 'none.html');
    const words = ['diff', 'tiny-stories', 'no-such-model', '--prompt', 'x', '--html', page];
    const { code, json } = await lathe(home, ...words, '--json');
    expect({ code, json }).toMatchObject({ code: 1, json: { error: { code: 'not_found' } } });
    expect(existsSync(page)).toBe(false);
  });
});
