import {
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { safetensors } from '../models/safetensors.ts';
import { tinyLlamaConfig, tinyLlamaTensors, writeTinyLlama } from '../models/tinyLlama.ts';
import { lathe } from './lathe.ts';

let root: string;
let home: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lathe-bad-'));
  home = join(root, 'home');
});
afterAll(() => rmSync(root, { recursive: true }));

/** The header of a safetensors file, changed as text of the same length or not. */
function changeHeader(
  file: string,
  change: (header: Record<string, { data_offsets: number[] }>) => void,
): void {
  const bytes = readFileSync(file);
  const size = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + size).toString()) as never;
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(file, Buffer.concat([prefix, text, bytes.subarray(8 + size)]));
}

const json = (value: unknown): string => JSON.stringify(value);

/** What is wrong, how it is made, and what the error must name. */
const cases: {
  name: string;
  file: string;
  spoil: (folder: string, file: string) => void;
  error: Record<string, unknown>;
}[] = [
  {
    name: 'a truncated safetensors file',
    file: 'model.safetensors',
    spoil: (_, file) => truncateSync(file, readFileSync(file).length - 100),
    error: { code: 'file_malformed', offset: expect.any(Number) },
  },
  {
    name: 'a safetensors file that ends inside its header',
    file: 'model.safetensors',
    spoil: (_, file) => truncateSync(file, 100),
    error: { code: 'file_malformed', offset: 100 },
  },
  {
    name: 'a header of 2^63 bytes',
    file: 'model.safetensors',
    spoil: (_, file) => {
      const bytes = readFileSync(file);
      bytes.writeBigUInt64LE(2n ** 63n);
      writeFileSync(file, bytes);
    },
    error: { code: 'file_malformed', offset: 0, value: String(2n ** 63n) },
  },
  {
    name: 'overlapping tensors',
    file: 'model.safetensors',
    spoil: (_, file) =>
      changeHeader(file, (header) => {
        const norm = header['model.norm.weight'].data_offsets;
        header['model.norm.weight'].data_offsets = norm.map((at) => at - 4);
      }),
    error: { code: 'file_malformed', tensor: 'model.norm.weight', offset: expect.any(Number) },
  },
  {
    name: 'a missing tensor',
    file: 'model.safetensors',
    spoil: (_, file) => {
      const tensors = tinyLlamaTensors(tinyLlamaConfig());
      const rest = tensors.filter(({ name }) => name !== 'model.layers.1.mlp.up_proj.weight');
      writeFileSync(file, safetensors(rest));
    },
    error: { code: 'tensor_missing', tensor: 'model.layers.1.mlp.up_proj.weight' },
  },
  {
    name: 'a tensor of another shape',
    file: 'model.safetensors',
    spoil: (folder) => {
      writeFileSync(join(folder, 'config.json'), json(tinyLlamaConfig({ intermediateSize: 97 })));
    },
    error: { code: 'tensor_mismatch', tensor: 'model.layers.0.mlp.gate_proj.weight' },
  },
  {
    name: 'an unknown architecture',
    file: 'config.json',
    spoil: (_, file) => {
      const config = { model_type: 'abacus', architectures: ['AbacusForCausalLM'] };
      writeFileSync(file, json({ ...tinyLlamaConfig(), ...config }));
    },
    error: { code: 'architecture_unsupported', value: expect.stringContaining('abacus') },
  },
  {
    name: 'a configuration that is no JSON',
    file: 'config.json',
    spoil: (_, file) => writeFileSync(file, '{"model_type": "llama",'),
    error: { code: 'file_malformed', offset: expect.any(Number) },
  },
  {
    name: 'a configuration with a field that cannot be',
    file: 'config.json',
    spoil: (_, file) => writeFileSync(file, json({ ...tinyLlamaConfig(), hidden_size: -1 })),
    error: { code: 'config_invalid', value: '-1' },
  },
  {
    name: 'a tokenizer.json of the wrong kind',
    file: 'tokenizer.json',
    spoil: (_, file) => writeFileSync(file, json({ version: '1.0', model: { type: 'Abacus' } })),
    error: { code: 'tokenizer_invalid' },
  },
  {
    name: 'a tokenizer.json that is a list',
    file: 'tokenizer.json',
    spoil: (_, file) => writeFileSync(file, json([1, 2, 3])),
    error: { code: 'tokenizer_invalid' },
  },
  {
    name: 'no tokenizer',
    file: 'tokenizer.json',
    spoil: (_, file) => rmSync(file),
    error: { code: 'file_missing' },
  },
  {
    name: 'weights that are a link out of the folder',
    file: 'model.safetensors',
    spoil: (folder, file) => {
      const elsewhere = join(folder, '..', 'elsewhere.safetensors');
      writeFileSync(elsewhere, readFileSync(file));
      rmSync(file);
      symlinkSync(elsewhere, file);
    },
    error: { code: 'path_refused' },
  },
];

describe('bad input is a typed error that names the file and the place', () => {
  test.each(cases)('$name', async ({ name, file, spoil, error }) => {
    const folder = join(root, name.replaceAll(/\W+/g, '-'));
    writeTinyLlama(folder);
    spoil(folder, join(folder, file));
    const expected = { code: 1, json: { error: { file: join(folder, file), ...error } } };
    const generated = await lathe(home, 'generate', folder, '--prompt', 'x', '--json');
    expect(generated).toMatchObject(expected);
    const imported = await lathe(home, 'import', folder, '--json');
    expect(imported).toMatchObject(expected);
  });

  test('also without --json, on stderr alone', async () => {
    const folder = join(root, 'plain');
    writeTinyLlama(folder);
    const file = join(folder, 'model.safetensors');
    truncateSync(file, 100);
    const ended = await lathe(home, 'generate', folder, '--prompt', 'x');
    expect(ended).toMatchObject({ code: 1, out: '', err: expect.stringContaining(file) });
    expect(ended.err).toContain('at byte 100');
  });

  test('and the same model unspoilt generates', async () => {
    const folder = join(root, 'good');
    writeTinyLlama(folder);
    const args = ['--prompt', 'x', '--max-tokens', '2', '--json'];
    expect(await lathe(home, 'generate', folder, ...args)).toMatchObject({ code: 0 });
  });
});
