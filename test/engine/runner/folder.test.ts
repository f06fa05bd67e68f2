import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inspectFolder, tensorTable } from '../../../main/engine/runner/folder.ts';
import { readTokenizer } from '../../../main/engine/runner/tokenizer.ts';
import { writeTinyLlama } from '../../models/tinyLlama.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-inspect-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('inspecting a model folder', () => {
  test('says what its files say', async () => {
    const config = writeTinyLlama(folder, { dtype: 'BF16', tied: true, keyValueHeads: 2 });
    const { sizes, ...inspection } = await inspectFolder(folder);
    expect(inspection).toEqual({
      architecture: 'llama',
      // Embedding, two blocks of (q, k, v, o, gate, up, down, two norms), the last norm.
      parameters: 259 * 64 + 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 96 + 2 * 64) + 64,
      bytes: expect.any(Number),
      precision: 'bfloat16',
      contextLength: 128,
      vocabularySize: 259,
      licence: null,
      config,
      card: null,
      chatTemplate: null,
    });
    expect(sizes).toMatchObject({ hidden: 64, inner: 96, heads: 4 });
    expect(sizes.cachePerToken).toBeGreaterThanOrEqual(2 * 2 * 2 * 16);
  });

  test.each([
    ['README.md', '---\nlicense: apache-2.0\nlanguage: en\n---\n# Model', 'apache-2.0'],
    ['README.md', '---\r\nlicense: "mit"\r\n---\r\n', 'mit'],
    ['README.md', '# Model\nlicense: mit', null],
    ['LICENSE', '\n\n  MIT License\n\nCopyright', 'MIT License'],
  ])('reads the licence from %s: %j', async (name, text, licence) => {
    writeTinyLlama(folder);
    writeFileSync(join(folder, name), text);
    expect((await inspectFolder(folder)).licence).toBe(licence);
  });

  test('keeps keys of config.json that are names of objects as plain data', async () => {
    const file = join(folder, 'config.json');
    const config = JSON.stringify(writeTinyLlama(folder));
    writeFileSync(file, config.replace('{', '{"__proto__": {"polluted": true},'));
    const inspection = await inspectFolder(folder);
    expect(Object.getPrototypeOf(inspection.config)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });

  test.each([
    ['chat_template.jinja', '{{ messages[0].content }}'],
    ['chat_template.json', '{"chat_template": "{{ messages[0].content }}"}'],
  ])('takes the chat template from %s', async (name, text) => {
    writeTinyLlama(folder);
    writeFileSync(join(folder, name), text);
    expect((await inspectFolder(folder)).chatTemplate).toBe('{{ messages[0].content }}');
  });

  test('lists every tensor with its place', () => {
    writeTinyLlama(folder, { layers: 1 });
    const table = tensorTable(folder);
    expect(table[0]).toEqual({
      name: 'model.embed_tokens.weight',
      dataType: 'float32',
      shape: [259, 64],
      bytes: 259 * 64 * 4,
      file: join(folder, 'model.safetensors'),
    });
    expect(table).toHaveLength(12);
  });
});

test('a tokenizer is read once, and again when one of its files changed', async () => {
  writeTinyLlama(folder);
  const first = await readTokenizer(folder);
  expect(await readTokenizer(folder)).toBe(first);
  writeFileSync(join(folder, 'generation_config.json'), '{"eos_token_id": [2, 5]}');
  const second = await readTokenizer(folder);
  expect([...second.endOfText].toSorted((a, b) => a - b)).toEqual([2, 5]);
});
