import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoModelForCausalLM, AutoTokenizer, env, Tensor } from '@huggingface/transformers';
import { createRouterClient } from '@orpc/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineClient, ExportFormat, Recipe } from '../../preload/contract/index.ts';
import { recipeSchema } from '../../preload/contract/recipe.ts';
import { createEngine, type Engine } from '../../main/engine/engine.ts';
import { forkNode } from '../../main/engine/runner/forkNode.ts';
import { writeTinyLlama } from '../models/tinyLlama.ts';

/** Models that are made for these tests, by the passes of their recipes. */
const recipes: Record<string, Recipe['passes'][number]['pass'][]> = {
  int4: ['quantize-rtn', 'quantize-embedding'],
  int8: ['quantize-int8-dynamic'],
  fp16: ['convert-float'],
};

const prompt = 'Once upon a time, there was';
const length = 24;

let root: string;
let engine: Engine;
let client: EngineClient;

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-exported-')));
  const startRunner = forkNode(new URL('../../main/engine/runner/entry.ts', import.meta.url));
  engine = await createEngine({ home: join(root, 'home'), startRunner, threads: 1 });
  client = createRouterClient(engine.router);
  for (const [name, passes] of Object.entries(recipes)) {
    const recipe = recipeSchema.parse({ name, passes: passes.map((pass) => ({ pass })) });
    const { ids } = await client.compress.start({ model: 'tiny-stories', recipes: [recipe] });
    for await (const event of await client.jobs.watch({ id: ids[0] })) void event;
  }
  // Weights of several megabytes: they leave the graph's own file.
  writeTinyLlama(join(root, 'wide'), { intermediateSize: 4096, headDim: 8 });
  env.allowRemoteModels = false;
  env.localModelPath = join(root, 'out', 'transformers-js');
}, 120_000);
afterAll(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

const shortName = (model: string): string => model.split('/').at(-1)!;

async function exported(model: string, format: ExportFormat): Promise<string> {
  const folder = join(root, 'out', format, shortName(model));
  for await (const event of await client.models.export({ model, format, folder })) void event;
  return folder;
}

/** Ids that Lathe generates greedily. */
async function greedy(model: string, text = prompt): Promise<number[]> {
  const ids: number[] = [];
  const request = {
    model,
    prompt: { kind: 'completion' as const, text },
    maxTokens: length,
    sampling: { temperature: 0 },
  };
  for await (const event of await client.generate(request)) {
    if (event.kind === 'token') ids.push(event.id);
  }
  return ids;
}

const models = ['tiny-stories', ...Object.keys(recipes).map((name) => `tiny-stories/${name}`)];

describe.each(models)('%s', (model) => {
  test('generates the same ids in transformers.js', async () => {
    await exported(model, 'transformers-js');
    const [name, expected] = [shortName(model), await greedy(model)];
    const [decoder, tokenizer] = await Promise.all([
      AutoModelForCausalLM.from_pretrained(name),
      AutoTokenizer.from_pretrained(name),
    ]);
    const inputs = tokenizer(prompt);
    const output = await decoder.generate({ ...inputs, max_new_tokens: length, do_sample: false });
    const all = output instanceof Tensor ? [...output.data].map(Number) : [];
    expect(all.slice(inputs.input_ids.dims[1])).toEqual(expected);
    await decoder.dispose();
  });

  test('generates the same ids in Lathe, opened as what was exported for transformers.js', async () => {
    const folder = join(root, 'out', 'transformers-js', shortName(model));
    expect(await greedy(folder)).toEqual(await greedy(model));
  });

  test('generates the same ids from its weights in float16', async () => {
    expect(await greedy(await exported(model, 'safetensors-f16'))).toEqual(await greedy(model));
  });

  test('is the same again after it went to another Lathe', async () => {
    const folder = await exported(model, 'lathe');
    const [there, here] = [folder, model].map((name) => client.models.facts({ model: name }));
    expect((await there).record.sha256).toBe((await here).record.sha256);
    expect(await greedy(folder)).toEqual(await greedy(model));
  });

  test('has the ports and sizes that onnxruntime-genai is told of', async () => {
    const folder = await exported(model, 'onnxruntime-genai');
    const told = JSON.parse(readFileSync(join(folder, 'genai_config.json'), 'utf8'));
    const { decoder } = told.model;
    const graph = await client.models.graph({ model: folder });
    const shapes = new Map(
      [...graph.inputs, ...graph.outputs].map(({ name, shape }) => [name, shape]),
    );
    const cache = (name: string, length_: string) => [
      [name.replace('%d', '0'), name.replace('%d', String(decoder.num_hidden_layers - 1))],
      ['batch_size', decoder.num_key_value_heads, length_, decoder.head_size],
    ];
    for (const [names, shape] of [
      cache(decoder.inputs.past_key_names, 'past_sequence_length'),
      cache(decoder.inputs.past_value_names, 'past_sequence_length'),
      cache(decoder.outputs.present_key_names, 'total_sequence_length'),
      cache(decoder.outputs.present_value_names, 'total_sequence_length'),
    ]) {
      for (const name of names)
        expect({ name, shape: shapes.get(String(name)) }).toEqual({ name, shape });
    }
    const { past_key_names: _, past_value_names: __, ...others } = decoder.inputs;
    expect(Object.values(others)).toEqual(['input_ids', 'attention_mask']);
    expect(shapes.size).toBe(3 + 4 * decoder.num_hidden_layers);
    expect(shapes.get('logits')?.at(-1)).toBe(told.model.vocab_size);
    expect(told.model).toMatchObject({ type: 'llama', context_length: 512, eos_token_id: 0 });
  });
});

test('weights beside the graph are found by transformers.js, and heads that were padded', async () => {
  const model = join(root, 'wide');
  const folder = await exported(model, 'transformers-js');
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  expect(config['transformers.js_config']).toEqual({
    dtype: 'fp32',
    use_external_data_format: { 'model.onnx': true },
  });
  const decoder = await AutoModelForCausalLM.from_pretrained('wide');
  const ids = [1, 'a'.charCodeAt(0) + 3, 'b'.charCodeAt(0) + 3];
  const input_ids = new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
  const attention_mask = new Tensor('int64', new BigInt64Array(3).fill(1n), [1, 3]);
  const options = { max_new_tokens: length, do_sample: false, eos_token_id: -1 };
  const output = await decoder.generate({ inputs: input_ids, attention_mask, ...options });
  const found = output instanceof Tensor ? [...output.data].map(Number).slice(3) : [];
  const expected = await greedy(model, 'ab');
  expect(expected.length).toBeGreaterThan(0);
  expect(found.slice(0, expected.length)).toEqual(expected);
  await decoder.dispose();
});

test('the card of a variant tells its recipe, what its passes lost, and its base', async () => {
  const folder = join(root, 'cards');
  mkdirSync(folder);
  const request = { model: 'tiny-stories/int4', format: 'lathe' as const, folder };
  for await (const event of await client.models.export(request)) void event;
  const card = readFileSync(join(folder, 'README.md'), 'utf8');
  const [, matter] = /^---\n(.*?)\n---\n/s.exec(card)!;
  expect(matter.split('\n')).toEqual([
    'license: apache-2.0',
    'base_model: tiny-stories',
    'pipeline_tag: text-generation',
    'tags: [lathe, quantize-rtn, quantize-embedding]',
  ]);
  const { recipe, passes } = await client.models.report({ model: 'tiny-stories/int4' });
  expect(card).toContain(JSON.stringify(recipe, null, 2));
  for (const { step, bytesBefore, bytes } of passes) {
    expect(card).toMatch(
      new RegExp(`\\| ${step.pass} \\| \\d+ \\| ${bytesBefore} \\| ${bytes} \\|`),
    );
  }
});
