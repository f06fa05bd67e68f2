import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labelOf, nodeLabels } from '../../../main/engine/runner/nodeLabels.ts';
import { operatorsOf, profileModel } from '../../../main/engine/runner/profile.ts';
import { loadModel } from '../../../main/onnx/load.ts';
import type { Model, Node } from '../../../main/onnx/model.ts';
import { writeTinyModel, type TinyModel } from '../../inference/tinyDecoder.ts';

let model: TinyModel;
let scratch: string;
beforeAll(() => {
  model = writeTinyModel();
  scratch = mkdtempSync(join(tmpdir(), 'lathe-profile-'));
});
afterAll(async () => {
  await model.close();
  rmSync(scratch, { recursive: true });
});

function labels(form: 'fused' | 'plain') {
  const loaded = loadModel(model.files[form]);
  loaded.close();
  return { loaded, labels: nodeLabels(loaded) };
}

const profile = (form: 'fused' | 'plain', promptTokens: number, batch = 1) => {
  const shape = { promptTokens, newTokens: 4, batch };
  const request = { file: model.files[form], shape, signal: new AbortController().signal };
  const options = { contextLength: 2048, threads: 1, device: 'cpu' } as const;
  return profileModel({ ...request, scratch: mkdtempSync(join(scratch, 'run-')) }, options);
};

describe('a profile', () => {
  test('has every operator of the graph once per run, by layer and block', async () => {
    const operators = await profile('fused', 12);
    const { loaded } = labels('fused');
    expect(operators).toHaveLength(loaded.graph.nodes.length);
    expect(operators.map(({ calls }) => calls)).toEqual(operators.map(() => 1 + 4));
    const layers = operators.filter(({ node }) => /^blocks\.\d+\.(attn|mlp)\.\w+$/.test(node));
    expect(layers.map(({ node, block }) => `${block}: ${node}`)).toEqual(
      [0, 1].flatMap((block) =>
        ['attn.qkv', 'attn.heads', 'attn.o', 'mlp.gate_up', 'mlp.pre', 'mlp.post', 'mlp.down'].map(
          (name) => `${block}: blocks.${block}.${name}`,
        ),
      ),
    );
    const outside = operators.filter(({ block }) => block === null).map(({ node }) => node);
    expect(outside).toEqual(expect.arrayContaining(['embed', 'ln_final', 'lm_head']));
    const total = operators.reduce((sum, { prefillMs }) => sum + prefillMs, 0);
    expect(total).toBeGreaterThan(0);
  });

  test('counts the chunks of a long prompt as one prefill', async () => {
    const operators = await profile('fused', 1100);
    expect(new Set(operators.map(({ calls }) => calls))).toEqual(new Set([3 + 4]));
  });

  test('of several rows reads the prompt in one piece', async () => {
    const operators = await profile('fused', 600, 2);
    expect(new Set(operators.map(({ calls }) => calls))).toEqual(new Set([1 + 4]));
  });

  test('has operators that the runtime made of several by the block of the one they are called after', async () => {
    const operators = await profile('plain', 12);
    const norms = operators.filter(({ operator }) => operator === 'SimplifiedLayerNormalization');
    expect(norms.map(({ node, block }) => [node, block])).toEqual([
      ['blocks.0.ln1', 0],
      ['blocks.0.ln2', 0],
      ['blocks.1.ln1', 1],
      ['blocks.1.ln2', 1],
      ['ln_final', null],
    ]);
    expect(operators.every(({ calls }) => calls === 1 + 4)).toBe(true);
  });
});

const time = (node: string, ms: number, calls: number) => ({ node, operator: 'Op', calls, ms });

describe('prefill and decode', () => {
  test('are told apart, decode per step; a node may be in one of them only', () => {
    const known = new Map([['a', { label: 'blocks.1.attn_out', block: 1 }]]);
    const operators = operatorsOf(known, {
      prefill: [time('a', 3, 1), time('b', 5, 2)],
      decode: [time('a', 8, 4), time('c', 2, 4)],
      steps: 4,
    });
    expect(operators).toEqual([
      {
        node: 'blocks.1.attn_out',
        operator: 'Op',
        block: 1,
        calls: 5,
        prefillMs: 3,
        decodeMs: 2,
      },
      { node: 'b', operator: 'Op', block: null, calls: 2, prefillMs: 5, decodeMs: 0 },
      { node: 'c', operator: 'Op', block: null, calls: 4, prefillMs: 0, decodeMs: 0.5 },
    ]);
  });
});

const node = (name: string, inputs: string[], outputs: string[]): Node => ({
  name,
  opType: 'Op',
  domain: '',
  overload: '',
  inputs,
  outputs,
  attributes: new Map(),
});

function blocks(nodes: readonly Node[], weights: readonly string[] = []) {
  const { loaded } = labels('fused');
  const [weight] = loaded.graph.initializers.values();
  const initializers = new Map(weights.map((name) => [name, weight]));
  const graph: Model = { ...loaded, graph: { ...loaded.graph, nodes, initializers } };
  const found = nodeLabels(graph);
  return nodes.map(({ name }, at) => labelOf(found, name === '' ? `Op_${at}` : name).block);
}

describe('the block of a node', () => {
  test('is in the names of what it gives, of itself, or of its weights', () => {
    const nodes = [
      node('x', ['a'], ['blocks.7.resid_mid']),
      node('/model/layers.12/mlp/MatMul', ['a'], ['b']),
      node('y', ['b', 'transformer.h.3.attn.weight'], ['c']),
      node('', ['c'], ['present.2.key']),
    ];
    expect(blocks(nodes, ['transformer.h.3.attn.weight'])).toEqual([7, 12, 3, 2]);
  });

  test('is that of all that take what it gives, and none where these are in several', () => {
    const nodes = [
      node('shared', ['input'], ['mask']),
      node('own', ['input'], ['u']),
      node('further', ['u'], ['v']),
      node('one', ['v', 'mask'], ['blocks.0.attn.scores']),
      node('two', ['mask'], ['blocks.1.attn.scores']),
      node('last', ['blocks.1.attn.scores'], ['logits']),
    ];
    expect(blocks(nodes)).toEqual([null, 0, 0, 0, 1, null]);
  });
});
