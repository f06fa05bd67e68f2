import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineClient } from '../../../preload/contract/index.ts';
import { createEngine, type Engine } from '../../../main/engine/engine.ts';
import { fromOrpc } from '../../../main/engine/errors.ts';
import { forkNode } from '../../../main/engine/runner/forkNode.ts';
import { openSafetensors } from '../../../main/formats/safetensors.ts';
import { saveModel } from '../../../main/onnx/save.ts';
import { exportDecoder, type ExportStyle } from '../../models/exporters.ts';
import { writeTinyLlama } from '../../models/tinyLlama.ts';

let root: string;
let source: string;
let config: Record<string, unknown>;
let engine: Engine;
let client: EngineClient;

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-onnx-')));
  source = join(root, 'source');
  config = writeTinyLlama(source, { keyValueHeads: 2, hiddenSize: 128, intermediateSize: 2304 });
  const startRunner = forkNode(new URL('../../../main/engine/runner/entry.ts', import.meta.url));
  engine = await createEngine({ home: join(root, 'home'), startRunner, threads: 1 });
  client = createRouterClient(engine.router);
});
afterAll(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

const styles: Record<string, ExportStyle> = {
  'primitive operators': { norm: 'primitive', attention: 'sdpa', linear: 'matmul' },
  'fused operators': { norm: 'skip', attention: 'grouped', linear: 'matmul' },
};

/** The source model as an exporter writes it: graph, config.json, tokenizer.json. */
function writeExported(name: string, style: ExportStyle, file = 'model.onnx'): string {
  const folder = join(root, name);
  writeTinyLlama(folder);
  rmSync(join(folder, 'model.safetensors'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  mkdirSync(join(folder, file, '..'), { recursive: true });
  const tensors = openSafetensors(join(source, 'model.safetensors'));
  saveModel(exportDecoder(config, tensors, style), join(folder, file));
  tensors.close();
  return folder;
}

async function textOf(model: string, form: 'fused' | 'plain' = 'fused'): Promise<string> {
  let text = '';
  const events = await client.generate({
    model,
    prompt: { kind: 'completion', text: 'Once' },
    maxTokens: 12,
    sampling: { temperature: 0 },
    form,
  });
  for await (const event of events) if (event.kind === 'token') text += `${event.id} `;
  return text;
}

async function imported(path: string, name: string) {
  for await (const event of await client.models.import({ path, name })) {
    if (event.kind === 'done') return event.model;
  }
  throw new Error('an import ends with the model');
}

const failure = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => fromOrpc(error),
  );

describe.each(Object.entries(styles))('a folder that an exporter wrote with %s', (kind, style) => {
  let folder: string;
  beforeAll(() => {
    folder = writeExported(`exported with ${kind}`, style);
  });

  test('generates what the safetensors do, opened in place and imported', async () => {
    const expected = await textOf(source);
    expect(expected.split(' ')).toHaveLength(13);
    expect(await textOf(folder)).toBe(expected);
    const { name } = await imported(folder, `imported ${kind.split(' ')[0]}`);
    expect(await textOf(name)).toBe(expected);
  });

  test('says what the model is from its graph', async () => {
    const { record } = await client.models.facts({ model: folder });
    const original = (await client.models.facts({ model: source })).record;
    const { architecture, parameters, precision, contextLength, vocabularySize } = original;
    const facts = { architecture, precision, contextLength, vocabularySize };
    expect(record).toMatchObject({ ...facts, source: 'folder' });
    // Exporters add constants of a few numbers.
    expect(Math.abs(record.parameters - parameters)).toBeLessThan(64);
    expect(record.bytes).toBeGreaterThan(4 * parameters);
    const tensors = await client.models.tensors({ model: folder });
    expect(tensors.length).toBeGreaterThan(20);
    const graph = await client.models.graph({ model: folder });
    expect(graph.inputs.map(({ name }) => name)).toContain('attention_mask');
  });

  test('becomes a variant by a recipe', async () => {
    const { record } = await client.models.facts({ model: folder });
    const recipe = { name: 'small', passes: [{ pass: 'quantize-rtn' as const, bits: 8 as const }] };
    const { ids } = await client.compress.start({ model: folder, recipes: [recipe] });
    let end: unknown;
    for await (const event of await client.jobs.watch({ id: ids[0] ?? '' })) {
      if (event.kind === 'job') end = event.job;
    }
    expect(end).toMatchObject({ state: 'finished', result: { parent: record.name } });
    expect(await textOf(`${record.name}/small`)).toBe(await textOf(source));
  });
});

test('a graph of fused operators is taken apart for the plain form', async () => {
  const recipe = { name: 'half', passes: [{ pass: 'convert-float' as const }] };
  const { ids } = await client.compress.start({ model: source, recipes: [recipe] });
  for await (const event of await client.jobs.watch({ id: ids[0] ?? '' })) void event;
  expect(await textOf('source/half', 'plain')).toBe(await textOf('source/half'));
  const { operators, hookPoints } = await client.models.graph({
    model: 'source/half',
    form: 'plain',
  });
  expect(operators['GroupQueryAttention']).toBeUndefined();
  expect(hookPoints).toContain('blocks.1.attn.pattern');
});

test('a graph lies in the folder that transformers.js expects, its weights beside it', async () => {
  const folder = writeExported('transformers', styles['fused operators'], 'onnx/model.onnx');
  expect(readdirSync(join(folder, 'onnx')).toSorted()).toEqual(['model.onnx', 'model.onnx.data']);
  const { folder: copy } = await imported(folder, 'copied');
  expect(existsSync(join(copy, 'onnx', 'model.onnx.data'))).toBe(true);
  expect(await textOf('copied')).toBe(await textOf(source));
});

describe('a folder is refused, before the runtime sees its graph,', () => {
  test.each<[string, (folder: string) => void, string]>([
    [
      'whose weights have another name',
      (folder) => {
        renameSync(join(folder, 'model.onnx'), join(folder, 'model_q4.onnx'));
      },
      'graph_invalid',
    ],
    [
      'whose weights are a second name of some file',
      (folder) => {
        const data = join(folder, 'model.onnx.data');
        renameSync(data, join(root, 'elsewhere'));
        linkSync(join(root, 'elsewhere'), data);
      },
      'path_refused',
    ],
    [
      'whose weights are missing',
      (folder) => rmSync(join(folder, 'model.onnx.data')),
      'file_missing',
    ],
    [
      'whose graph is none',
      (folder) => writeFileSync(join(folder, 'model.onnx'), 'no protobuf'),
      'file_malformed',
    ],
    ['without a tokenizer', (folder) => rmSync(join(folder, 'tokenizer.json')), 'file_missing'],
  ])('%s', async (name, spoil, code) => {
    const folder = writeExported(name, styles['fused operators']);
    spoil(folder);
    expect((await failure(client.models.facts({ model: folder })))?.code).toBe(code);
  });
});
