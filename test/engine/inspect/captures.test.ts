import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Capture, CaptureInput, EngineClient } from '../../../preload/contract/index.ts';
import { createEngine, type Engine } from '../../../main/engine/engine.ts';
import { fromOrpc } from '../../../main/engine/errors.ts';
import { forkNode } from '../../../main/engine/runner/forkNode.ts';
import { float, int } from '../../../main/onnx/attributes.ts';
import type { Model, Node } from '../../../main/onnx/model.ts';
import { saveModel } from '../../../main/onnx/save.ts';
import { exportDecoder, type ExportStyle } from '../../models/exporters.ts';
import { byteTokenizer } from '../../models/byteTokenizer.ts';
import { writeTinyLlama } from '../../models/tinyLlama.ts';
import { tinyDecoder } from '../../passes/tinyDecoder.ts';

let root: string;
let engine: Engine;
let client: EngineClient;

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-captures-')));
  const startRunner = forkNode(new URL('../../../main/engine/runner/entry.ts', import.meta.url));
  engine = await createEngine({ home: join(root, 'home'), startRunner, threads: 1 });
  client = createRouterClient(engine.router);
  writeTinyLlama(join(root, 'model'), { keyValueHeads: 2, contextLength: 64 });
}, 60_000);
afterAll(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

const prompt = (text: string) => ({ kind: 'completion' as const, text });

async function capture(name: string, more: Partial<CaptureInput> = {}): Promise<Capture> {
  const request = { model: join(root, name), prompt: prompt('abcabcabc'), ...more };
  for await (const event of await client.inspect.capture(request)) {
    if (event.kind === 'done') return event.capture;
  }
  throw new Error('no capture');
}

/** Code and next steps of a failure; null where there is none. */
const failure = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => {
      const { code, message, data } = fromOrpc(error);
      return { code, message, next: data.next };
    },
  );

/** A folder that brings its own graph, as exporters write it, changed or not. */
function writeGraph(name: string, style: ExportStyle, change = (node: Node): Node => node): void {
  const { vocabularySize } = byteTokenizer;
  const { config, tensors } = tinyDecoder({ vocabularySize, keyValueHeads: 2, contextLength: 64 });
  const written = exportDecoder(config, tensors, style);
  const nodes = written.graph.nodes.map(change);
  const model: Model = { ...written, graph: { ...written.graph, nodes } };
  const folder = join(root, name);
  mkdirSync(folder);
  saveModel(model, join(folder, 'model.onnx'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  for (const [file, content] of Object.entries(byteTokenizer.files)) {
    writeFileSync(join(folder, file), JSON.stringify(content));
  }
}

const grouped: ExportStyle = { norm: 'skip', attention: 'grouped', linear: 'matmul' };

/** How sure the model is behind each token. */
const say = async ({ id }: Capture) =>
  (await client.inspect.predictions({ capture: id })).map(({ entropy }) => entropy);

/** Attention with a soft cap and a local window. */
const capped = (node: Node): Node =>
  node.opType === 'GroupQueryAttention'
    ? {
        ...node,
        attributes: new Map(node.attributes)
          .set('softcap', { ...float(2), name: 'softcap' })
          .set('local_window_size', { ...int(4), name: 'local_window_size' }),
      }
    : node;

/** No attention that anybody knows. */
const unknown = (node: Node): Node =>
  node.opType === 'Softmax' ? { ...node, opType: 'Hardmax' } : node;

describe('a model that was captured', () => {
  test('answers all questions about it with typed arrays', async () => {
    const found = await capture('model');
    expect(found).toMatchObject({ layers: 2, heads: [4, 4], keyValueHeads: [2, 2], ablated: [] });
    expect(found.tokens).toHaveLength(10);
    expect(found.ms.captured).toBeGreaterThan(0);
    const of = { capture: found.id };
    const sheet = await client.inspect.sheet(of);
    expect(sheet.size).toBe(10);
    expect(sheet.data).toBeInstanceOf(Float32Array);
    expect(sheet.data).toHaveLength(800);
    const pattern = await client.inspect.pattern({ ...of, layer: 0, head: 1 });
    expect(pattern.data).toEqual(sheet.data.slice(100, 200));
    const scores = await client.inspect.pattern({ ...of, layer: 0, head: 1, what: 'scores' });
    expect(scores.data[1]).toBe(-Infinity);
    const heads = await client.inspect.heads(of);
    expect(heads.map(({ layer, head }) => [layer, head])).toHaveLength(8);
    const rollout = await client.inspect.through({ ...of, method: 'rollout' });
    expect(rollout.data.slice(0, 10).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    const flow = await client.inspect.through({ ...of, method: 'flow' });
    expect(flow.data).toHaveLength(100);
    const values = await client.inspect.values({ ...of, hook: 'blocks.1.mlp.post' });
    expect(values).toMatchObject({ shape: [1, 10, 96] });
    const lens = await client.inspect.lens({ ...of, top: 2 });
    const predictions = await client.inspect.predictions({ ...of, top: 2 });
    const last = predictions.at(-1)?.alternatives.map(({ id }) => id);
    expect(Array.from(lens.ids.slice(-2))).toEqual(last);
    const direct = await client.inspect.direct({ ...of, position: 9 });
    expect(direct.token).toMatchObject({ id: last?.[0] });
    const sum = direct.layers.flatMap((one) => [...one.heads, one.mlp]).reduce((a, b) => a + b);
    expect(sum + direct.embedding + direct.rest).toBeCloseTo(direct.logit, 4);
  });

  test('says what it would say without some heads', async () => {
    const ablate = [{ layer: 0, head: 2 }];
    const [whole, without] = [await capture('model'), await capture('model', { ablate })];
    expect(without.ablated).toEqual(ablate);
    expect(await say(without)).not.toEqual(await say(whole));
  });

  test('keeps its newest eight captures', async () => {
    const first = await capture('model');
    for (let more = 0; more < 7; more++) await capture('model');
    expect(await failure(client.inspect.sheet({ capture: first.id }))).toBe(null);
    await capture('model');
    const gone = await failure(client.inspect.sheet({ capture: first.id }));
    expect(gone).toMatchObject({ code: 'not_found', next: ['retry'] });
  });

  test('stays while the model writes, and goes where there is no room for both', async () => {
    const { id, model } = await capture('model');
    const write = async (form: 'fused' | 'plain'): Promise<number> => {
      const request = { model: join(root, 'model'), prompt: prompt('abc'), form, maxTokens: 2 };
      let tokens = 0;
      for await (const { kind } of await client.generate(request)) if (kind === 'token') tokens++;
      return tokens;
    };
    const asked = { capture: id, layer: 0, head: 0 };
    expect(await write('fused')).toBe(2);
    expect((await client.inspect.pattern(asked)).data.length).toBeGreaterThan(0);
    const before = await client.system.settings();
    const state = (await client.runners.list()).find((one) => one.model === model);
    if (state?.kind !== 'ready') throw new Error(`the runner is: ${state?.kind}`);
    // Less than what the runner holds and is to keep free for activations.
    await client.system.saveSettings({ ...before, memoryLimitBytes: state.rssBytes + 190e6 });
    try {
      expect(await write('plain')).toBe(2);
    } finally {
      await client.system.saveSettings(before);
    }
    expect(await failure(client.inspect.pattern(asked))).toMatchObject({ code: 'not_found' });
    expect((await capture('model')).tokens).toHaveLength(10);
  });

  test('has gone with its runner, and no other is started to say so', async () => {
    const { id, model } = await capture('model');
    await client.runners.unload({ model });
    for (const work of [
      client.inspect.sheet({ capture: id }),
      client.inspect.pattern({ capture: id, layer: 0, head: 0 }),
    ]) {
      expect(await failure(work)).toMatchObject({ code: 'not_found', next: ['retry'] });
    }
    const states = await client.runners.list();
    expect(states.find((state) => state.model === model)?.kind).toBe('unloaded');
    expect(await failure(client.inspect.heads({ capture: 'never' }))).toMatchObject({
      code: 'not_found',
    });
  });

  test('leaves no files behind', async () => {
    const { model } = await capture('model');
    await client.runners.unload({ model });
    const graphs = readdirSync(join(root, 'home', 'cache', 'graphs'));
    expect(graphs.filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([]);
  });
});

describe('a graph that others wrote', () => {
  test('is turned into the fused form, and shows all', async () => {
    writeGraph('torch', { norm: 'primitive', attention: 'eager', linear: 'matmul' });
    const { id, hookPoints } = await capture('torch');
    expect(hookPoints).toContain('blocks.1.resid_post');
    const lens = await client.inspect.lens({ capture: id });
    expect(lens.rows).toBe(3);
  });

  test('of another kind runs as it is: attention and predictions, and a clear word about the rest', async () => {
    writeGraph('capped', grouped, capped);
    const { id, heads, hookPoints } = await capture('capped');
    expect(heads).toEqual([4, 4]);
    expect(hookPoints).not.toContain('blocks.1.resid_post');
    const { data } = await client.inspect.pattern({ capture: id, layer: 1, head: 'mean' });
    // The last of ten tokens looks at itself and three before it.
    const last = Array.from(data.slice(90));
    expect(last.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(last.slice(6).every((p) => p > 0)).toBe(true);
    expect(await client.inspect.predictions({ capture: id })).toHaveLength(10);
    const refused = await failure(client.inspect.lens({ capture: id }));
    expect(refused).toMatchObject({ code: 'graph_invalid', next: ['choose-model'] });
    expect(refused?.message).toMatch(/residual stream/);
  });

  test('without attention that is recognised says what was looked for', async () => {
    writeGraph('strange', { norm: 'primitive', attention: 'eager', linear: 'matmul' }, unknown);
    expect(await failure(capture('strange'))).toMatchObject({
      code: 'graph_invalid',
      message: expect.stringMatching(/looked for GroupQueryAttention.*it has: .*Hardmax/),
    });
  });
});

describe('what cannot be captured', () => {
  test('a text longer than the context', async () => {
    const long = capture('model', { prompt: prompt('a'.repeat(64)) });
    expect(await failure(long)).toMatchObject({
      code: 'context_overflow',
      message: expect.stringMatching(/65 tokens, the model reads 64/),
      next: ['shorten-prompt'],
    });
    // The model is there all the same.
    expect((await client.runners.list()).find(({ model }) => model === 'model')?.kind).toBe(
      'ready',
    );
  });

  test('a head or a position that there is not', async () => {
    const ablate = [{ layer: 5, head: 0 }];
    expect(await failure(capture('model', { ablate }))).toMatchObject({ code: 'usage' });
    const { id } = await capture('model');
    const of = { capture: id };
    for (const work of [
      client.inspect.pattern({ ...of, layer: 2, head: 0 }),
      client.inspect.pattern({ ...of, layer: 0, head: 4 }),
      client.inspect.values({ ...of, hook: 'blocks.0.attn.nothing' }),
      client.inspect.direct({ ...of, position: 10 }),
      client.inspect.direct({ ...of, position: 0, token: 1_000_000 }),
    ]) {
      expect(await failure(work)).toMatchObject({ code: 'usage' });
    }
  });

  test('more than the memory limit leaves room for', async () => {
    const before = await client.system.settings();
    await client.system.saveSettings({ ...before, memoryLimitBytes: 160e6 });
    const refused = await failure(capture('model'));
    await client.system.saveSettings(before);
    expect(refused).toMatchObject({ code: 'memory_limit' });
  });
});
