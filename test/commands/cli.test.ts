import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  alternativeSchema,
  generateRequestSchema,
  timingSchema,
} from '../../preload/contract/generation.ts';
import {
  graphFactsSchema,
  modelFactsSchema,
  modelRecordSchema,
  tensorFactsSchema,
  tokenSchema,
} from '../../preload/contract/models.ts';
import { latencySchema } from '../../preload/contract/bench.ts';
import { recipeSchema } from '../../preload/contract/recipe.ts';
import { commandLine } from '../../renderer/state/reproduce.ts';
import { cli, lathe, type Ended } from './lathe.ts';

let folder: string;
let home: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-cli-'));
  home = join(folder, 'home');
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]): Promise<Ended> => lathe(home, ...args);

/** The only document on stdout, in the shape promised; nothing else was printed there. */
async function document<T>(schema: z.ZodType<T>, ...args: string[]): Promise<T> {
  const { code, out, err } = await run(...args, '--json');
  expect({ code, lines: out.trim().split('\n').length, err: code === 0 ? '' : err }).toEqual({
    code: 0,
    lines: 1,
    err: '',
  });
  return schema.parse(JSON.parse(out));
}

const generated = z.strictObject({
  text: z.string(),
  tokens: z.array(
    z.strictObject({
      id: z.number().int(),
      text: z.string(),
      logprob: z.number().max(0),
      alternatives: z.array(alternativeSchema),
    }),
  ),
  finish: z.string(),
  timing: timingSchema.strict(),
});

const generate = (...args: string[]) =>
  document(generated, 'generate', 'tiny-stories', '--max-tokens', '8', ...args);

describe('every command with --json prints one document of the promised shape', () => {
  test('models', async () => {
    const models = await document(z.array(modelRecordSchema.strict()), 'models');
    expect(models.map(({ name, source }) => [name, source])).toEqual([
      ['tiny-stories', 'embedded'],
    ]);
  });

  test('generate', async () => {
    const result = await generate('--prompt', 'Once upon a time', '--logprobs', '3', '--seed', '1');
    expect(result.finish).toBe('max-tokens');
    expect(result.tokens).toHaveLength(8);
    expect(result.tokens.map(({ text }) => text).join('')).toBe(result.text);
    for (const { alternatives } of result.tokens) expect(alternatives).toHaveLength(3);
    expect(result.timing.loadMs).toBeGreaterThan(0);
  });

  test('show', async () => {
    const schema = modelFactsSchema.extend({
      tensors: z.array(tensorFactsSchema),
      graph: graphFactsSchema,
    });
    const args = ['--tensors', '--graph', '--memory', '--context', '100', '--form', 'plain'];
    const facts = await document(schema.strict(), 'show', 'tiny-stories', ...args);
    expect(facts.memory.context).toBe(100);
    expect(facts.tensors.length).toBeGreaterThan(10);
    expect(facts.graph.hookPoints).toContain('blocks.3.attn.pattern');
    expect(facts.config['model_type']).toBe('llama');
  });

  test('tokenize', async () => {
    const tokens = await document(
      z.array(tokenSchema.strict()),
      'tokenize',
      'tiny-stories',
      '--text',
      'A café',
    );
    const bytes = tokens.slice(1).flatMap((token) => token.bytes);
    expect(new TextDecoder().decode(new Uint8Array(bytes))).toBe('A café');
  });

  test('bench', async () => {
    const schema = z.object({
      prefill: latencySchema,
      decode: latencySchema,
      peakRssBytes: z.number().positive(),
      loadMs: z.number().positive(),
    });
    const sizes = ['--prompt-tokens', '16', '--new-tokens', '8', '--runs', '2'];
    const result = await document(schema, 'bench', 'tiny-stories', ...sizes);
    expect([result.prefill.samples, result.decode.samples]).toEqual([2, 16]);
  });

  test('import, and then the model is there under its name', async () => {
    const source = join(import.meta.dirname, '../../resources/models/tiny-stories');
    const record = await document(modelRecordSchema, 'import', source, '--name', 'copy');
    expect(record).toMatchObject({ name: 'copy', source: 'library' });
    expect(readdirSync(join(home, 'models'))).toEqual(['copy']);
    const args = ['--prompt', 'One day', '--temperature', '0', '--max-tokens', '4'];
    const copied = await document(generated, 'generate', 'copy', ...args);
    const original = await document(generated, 'generate', 'tiny-stories', ...args);
    expect(copied.text).toBe(original.text);
    expect((await run('import', source, '--name', 'copy', '--json')).json).toMatchObject({
      error: { code: 'already_exists', value: 'copy' },
    });
  });
});

test('a model that was removed is restored from the trash; one that ships stays', async () => {
  const source = join(import.meta.dirname, '../../resources/models/tiny-stories');
  await run('import', source, '--name', 'passing');
  const removed = await document(
    z.strictObject({ model: z.literal('passing'), trashId: z.uuid() }),
    'remove',
    'passing',
  );
  expect(await run('remove', 'passing', '--json')).toMatchObject({
    code: 1,
    json: { error: { code: 'not_found' } },
  });
  const record = await document(modelRecordSchema, 'restore', removed.trashId);
  expect(record).toMatchObject({ name: 'passing', source: 'library' });
  expect(await run('remove', 'tiny-stories')).toMatchObject({
    code: 2,
    err: 'lathe: a model that ships with Lathe cannot be removed: tiny-stories\n',
  });
  const { out, err } = await run('remove', 'passing');
  expect(out).toBe('passing is in the trash.\n');
  expect(err).toMatch(/^lathe restore [0-9a-f-]{36} brings it back.\n$/);
});

test('a model of the download cache is shown and forgotten by the folder of its repository', async () => {
  const repository = join(realpathSync(folder), 'models--owner--passing-by');
  const snapshot = join(repository, 'snapshots', '0123abcd');
  const source = join(import.meta.dirname, '../../resources/models/tiny-stories');
  cpSync(source, snapshot, { recursive: true });
  mkdirSync(join(repository, 'refs'));
  writeFileSync(join(repository, 'refs', 'main'), '0123abcd');
  expect((await run('show', repository)).out).toMatch(/^name +passing-by\n/);
  const { out } = await run('remove', repository);
  expect(out).toBe(`${snapshot} is forgotten; its folder stays as it is.\n`);
});

test.each([['--home'], ['--home=']])('everything is kept in the folder of %s', async (option) => {
  const elsewhere = mkdtempSync(join(folder, 'home-'));
  const chosen = join(elsewhere, 'chosen');
  const words = option.endsWith('=') ? [`${option}${chosen}`] : [option, chosen];
  const usual = join(elsewhere, 'usual');
  expect(await lathe(usual, 'models', ...words)).toMatchObject({ code: 0 });
  expect(readdirSync(elsewhere)).toEqual(['chosen']);
  expect(readdirSync(join(chosen, 'cache')).toSorted()).toEqual(['code', 'graphs']);
});

test('the runtime leaves nothing of its own with the user, no id to report under', () => {
  const user = mkdtempSync(join(folder, 'user-'));
  const words = ['generate', 'tiny-stories', '--prompt', 'x', '--max-tokens', '1'];
  const { XDG_CACHE_HOME: _, ...environment } = process.env;
  execFileSync(process.execPath, [cli, ...words], {
    env: { ...environment, HOME: user, USERPROFILE: user, LATHE_HOME: home },
    stdio: 'pipe',
  });
  expect(readdirSync(user)).toEqual([]);
});

test('a recipe is printed as the file that compress takes', async () => {
  const recipes = await document(z.array(recipeSchema), 'recipes');
  const { out } = await run('recipes', 'int4-rtn');
  expect(JSON.parse(out)).toEqual(recipes.find(({ name }) => name === 'int4-rtn'));
  const file = join(folder, 'recipe.json');
  writeFileSync(file, out);
  const planned = await run('compress', 'tiny-stories', '--recipe', file, '--dry-run');
  expect(planned).toMatchObject({ code: 0, out: expect.stringContaining('quantize-rtn') });
});

describe('generate', () => {
  test('begins from nothing when the prompt is empty', async () => {
    expect((await generate('--prompt', '')).tokens).toHaveLength(8);
  });

  test('gives the same text for the same seed', async () => {
    const args = ['--prompt', 'One day', '--seed', '7'];
    const [first, second] = [await generate(...args), await generate(...args)];
    expect(first.tokens).toEqual(second.tokens);
  });

  test('ends before a stop string', async () => {
    const whole = await generate('--prompt', 'One day', '--temperature', '0');
    const stop = whole.tokens[3].text;
    const stopped = await generate('--prompt', 'One day', '--temperature', '0', '--stop', stop);
    expect(stopped.finish).toBe('stop-string');
    expect(whole.text.startsWith(stopped.text)).toBe(true);
    expect(stopped.text).not.toContain(stop);
  });

  test('takes every rule of the sampler', async () => {
    const rules = ['--temperature', '0.8', '--top-k', '40', '--top-p', '0.9', '--min-p', '0.01'];
    const more = ['--typical-p', '0.95', '--repetition-penalty', '1.1', '--no-repeat-ngram', '3'];
    const penalties = ['--presence-penalty', '-0.5', '--frequency-penalty', '0.25'];
    const bias = ['--logit-bias', '300:100', '--logit-bias', '5:-100', '--overflow', 'slide'];
    const result = await generate('--prompt', 'x', ...rules, ...more, ...penalties, ...bias);
    expect(result.tokens.some(({ id }) => id === 300)).toBe(true);
  });

  test('goes on behind tokens of an earlier run', async () => {
    const whole = await generate('--prompt', 'One day', '--temperature', '0');
    const prefix = whole.tokens.slice(0, 3).map(({ id }) => id);
    const args = ['--prompt', 'One day', '--temperature', '0', '--prefix', prefix.join(',')];
    const rest = await generate(...args);
    const ids = ({ tokens }: typeof whole) => tokens.map(({ id }) => id);
    expect(ids(rest).slice(0, 5)).toEqual(ids(whole).slice(3));
  });

  test('understands the line that the window gives to reproduce a run', async () => {
    const request = generateRequestSchema.parse({
      model: 'tiny-stories',
      prompt: { kind: 'completion', text: 'It\'s $HOME, "said" --Tom\n' },
      prefix: [300, 301],
      sampling: { temperature: 0.8, topK: 40, minP: 0.01, logitBias: { '7': -1.5 } },
      maxTokens: 8,
      stop: ['--', '\n\n'],
      overflow: 'slide',
      form: 'plain',
    });
    const line = commandLine(request, 42).replace('npm run --silent lathe --', "printf '%s\\0'");
    const words = execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' }).split('\0');
    const reproduced = await document(generated, ...words.slice(0, -1));
    const { prompt, prefix, sampling } = request;
    const text = prompt.kind === 'completion' ? prompt.text : '';
    const what = ['--prompt', text, '--prefix', prefix.join(','), '--seed', '42'];
    const how = ['--temperature', String(sampling.temperature), '--top-k', '40', '--min-p', '0.01'];
    const more = ['--logit-bias', '7:-1.5', '--form', 'plain', '--stop=--', '--stop', '\n\n'];
    const typed = await generate(...what, ...how, ...more);
    expect(reproduced.tokens).toEqual(typed.tokens);
  });

  test('reads the prompt from a file', async () => {
    const file = join(folder, 'prompt.txt');
    writeFileSync(file, 'One day');
    const [fromFile, typed] = [
      await generate('--prompt-file', file, '--temperature', '0'),
      await generate('--prompt', 'One day', '--temperature', '0'),
    ];
    expect(fromFile.tokens).toEqual(typed.tokens);
  });

  test('reads the prompt from the standard input', async () => {
    const words = ['--prompt-file', '-', '--temperature', '0', '--max-tokens', '8', '--json'];
    const out = execFileSync(process.execPath, [cli, 'generate', 'tiny-stories', ...words], {
      env: { ...process.env, LATHE_HOME: home },
      input: 'One day',
      encoding: 'utf8',
    });
    const typed = await generate('--prompt', 'One day', '--temperature', '0');
    expect(generated.parse(JSON.parse(out)).tokens).toEqual(typed.tokens);
  });

  test('refuses a prompt file that is no UTF-8', async () => {
    const file = join(folder, 'latin.txt');
    writeFileSync(file, Buffer.from('café', 'latin1'));
    const { code, err } = await run('generate', 'tiny-stories', '--prompt-file', file);
    expect({ code, err }).toEqual({
      code: 2,
      err: `lathe: --prompt-file must be UTF-8: ${file}\n`,
    });
  });

  test('gives the same text in both forms', async () => {
    const args = ['--prompt', 'One day', '--temperature', '0', '--max-tokens', '40', '--form'];
    const [fused, plain] = [await generate(...args, 'fused'), await generate(...args, 'plain')];
    expect(fused.text).toBe(plain.text);
  });

  test('without --json streams the text alone to stdout and the figures to stderr', async () => {
    const args = ['--prompt', 'One day', '--temperature', '0', '--max-tokens', '8'];
    const { code, out, err } = await run('generate', 'tiny-stories', ...args);
    const { text } = await generate('--prompt', 'One day', '--temperature', '0');
    expect({ code, out }).toEqual({ code: 0, out: `${text}\n` });
    expect(err).toMatch(/8 tokens, .* tokens per second/);
    expect(err).not.toContain('Warning');
  });

  test('says that a model without a template cannot chat', async () => {
    const messages = JSON.stringify([{ role: 'user', content: 'hi' }]);
    for (const prompt of [
      ['--prompt', 'hi', '--chat'],
      ['--messages', messages],
    ]) {
      const ended = await run('generate', 'tiny-stories', ...prompt, '--json');
      expect(ended).toMatchObject({ code: 1, json: { error: { code: 'template_invalid' } } });
    }
  });
});

describe('what is typed wrongly ends with exit code 2 and says what', () => {
  test.each([
    [['nonsense'], 'nonsense'],
    [['modles'], 'did you mean models?'],
    [['generate', '--prompt', 'x'], 'model is missing'],
    [['generate', 'tiny-stories'], '--prompt'],
    [['generate', 'tiny-stories', '--prompt', 'x', '--nonsense'], '--nonsense'],
    [['generate', 'tiny-stories', '--prompt', 'x', '--max-tokens', 'many'], 'many'],
    [['generate', 'tiny-stories', '--prompt', 'x', '--temperature', '-1'], '--temperature: '],
    [['generate', 'tiny-stories', '--prompt', 'x', '--top-k', '1.5'], '--top-k: '],
    [['generate', 'tiny-stories', '--prompt', 'x', '--max-tokens', '0'], '--max-tokens: '],
    [['generate', 'tiny-stories', '--prompt', 'x', '--logprobs', '50'], '--logprobs: '],
    [['generate', 'tiny-stories', '--prompt', 'x', '--logit-bias', '5:1000'], '--logit-bias: '],
    [['generate', 'tiny-stories', '--prompt', 'x', '--stop', ''], '--stop: '],
    [['generate', 'tiny-stories', '--prompt', 'x', '--form', 'odd'], 'odd'],
    [['generate', 'tiny-stories', '--prompt', 'x', '--logit-bias', '5'], '5'],
    [['generate', 'tiny-stories', '--prompt', 'x', '--prompt-file', 'y'], 'exclude'],
    [['generate', 'tiny-stories', '--prompt', 'x', '--prefix', '5,x'], '5,x'],
    [['generate', 'tiny-stories', '--prompt', 'x', '--messages', '[]'], 'exclude'],
    [['generate', 'tiny-stories', '--messages', '[{"role":"king"}]'], 'king'],
    [['generate', 'tiny-stories', '--prompt-file', '/nowhere'], '/nowhere'],
    [['generate', 'one', 'two', '--prompt', 'x'], 'two'],
    [['generate', '', '--prompt', 'x'], 'model is missing'],
    [['compress', 'tiny-stories', '--recipe', 'fp16', '--name', ''], '--name must have 1 to 120'],
    [['import', 'folder', '--name', 'x'.repeat(121)], '--name must have 1 to 120 characters, not'],
    [['tokenize', 'tiny-stories'], '--text'],
    [['show', 'tiny-stories', '--context', '0'], '0'],
    [['models', '--threads', '0'], '0'],
    [['models', '--device', 'abacus'], 'abacus'],
    [['models', 'extra'], 'extra'],
    [['import', 'hf:owner/repo'], 'hf:owner/repo'],
    [['import', import.meta.filename], `a folder, not a file: ${import.meta.filename}`],
    [['show', import.meta.filename], `a folder, not a file: ${import.meta.filename}`],
    [['studio', '--port', '99999'], '99999'],
  ])('%j', async (args, mentioned) => {
    const plain = await run(...args);
    expect({ code: plain.code, out: plain.out }).toEqual({ code: 2, out: '' });
    expect(plain.err).toContain(mentioned);
    const asked = await run(...args, '--json');
    expect(asked.code).toBe(2);
    expect(asked.json).toEqual({
      error: { code: 'usage', message: expect.stringContaining(mentioned) },
    });
  });
});

test('help lists every command, and a command its options', async () => {
  const [overview, one] = [await run('--help'), await run('generate', '--help')];
  expect(overview.code).toBe(0);
  expect([await run('-h'), await run('help')]).toEqual([overview, overview]);
  expect([await run('generate', '-h'), await run('help', 'generate')]).toEqual([one, one]);
  for (const name of ['models', 'import', 'show', 'tokenize', 'generate', 'bench', 'studio']) {
    expect(overview.out).toContain(`  ${name} `);
  }
  for (const option of ['--top-p P', '--json', '--home DIR']) {
    expect(one.out).toContain(option.split(' ')[0]);
  }
});

test('the version is that of the package', async () => {
  const file = join(import.meta.dirname, '../../package.json');
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(file, 'utf8')));
  expect(await run('--version')).toMatchObject({ code: 0, out: `${version}\n`, err: '' });
});

test('a file in GGUF is told what to take instead', async () => {
  const file = join(folder, 'model.gguf');
  writeFileSync(file, 'GGUF');
  for (const words of [
    ['import', file],
    ['generate', file, '--prompt', 'x'],
  ]) {
    expect(await run(...words)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('GGUF is not read, take the folder'),
    });
  }
});

describe('what is not there ends with exit code 1 and a typed error', () => {
  test('a model whose name is nearly that of another', async () => {
    const { code, err } = await run('generate', 'tiny-storys', '--prompt', 'x');
    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringContaining('tiny-storys; did you mean tiny-stories?'),
    });
  });

  test.each([
    [['generate', 'nobody', '--prompt', 'x'], 'not_found'],
    [['show', '/nowhere/at/all'], 'not_found'],
    [['import', '/nowhere/at/all'], 'file_missing'],
  ])('%j', async (args, code) => {
    const ended = await run(...args, '--json');
    expect(ended).toMatchObject({ code: 1, json: { error: { code } } });
  });

  test('a library where there is no place for one', async () => {
    const file = join(folder, 'no-folder');
    writeFileSync(file, '');
    expect(await lathe(file, 'models', '--json')).toMatchObject({
      code: 1,
      json: { error: { code: 'path_refused', file } },
      err: '',
    });
  });

  test('an imported model that was changed behind the library is refused by its name', async () => {
    const weights = join(home, 'models', 'copy', 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(weights, bytes);
    const ended = await run('generate', 'copy', '--prompt', 'x', '--json');
    expect(ended).toMatchObject({
      code: 1,
      json: { error: { code: 'file_changed', file: weights } },
    });
  });

  test('names for imported models stay inside the library', async () => {
    const source = join(import.meta.dirname, '../../resources/models/tiny-stories');
    for (const name of ['../out', 'a/b', 'CON', 'x:y', '.']) {
      const ended = await run('import', source, '--name', name, '--json');
      expect({ name, ended }).toMatchObject({
        ended: { json: { error: { code: 'path_refused' } } },
      });
    }
    mkdirSync(join(folder, 'empty'));
    const empty = await run('import', join(folder, 'empty'), '--json');
    expect(empty).toMatchObject({ json: { error: { code: 'file_missing' } } });
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });
});
