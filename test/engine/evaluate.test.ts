import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../main/engine/engine.ts';
import { fromOrpc } from '../../main/engine/errors.ts';
import { forkNode } from '../../main/engine/runner/forkNode.ts';
import type { EngineClient, EvaluateEvent, EvaluateInput } from '../../preload/contract/index.ts';

let root: string;
let engine: Engine;
let client: EngineClient;
let model: string;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-evaluate-')));
  model = writeModel('model', 'weights');
  for (const name of ['text', 'other', 'crash']) writeFileSync(join(root, `${name}.txt`), name);
  const startRunner = forkNode(new URL('./fakeRunner.ts', import.meta.url));
  engine = await createEngine({ home: join(root, 'home'), startRunner, limits: { cancelMs: 300 } });
  client = createRouterClient(engine.router);
});
afterEach(async () => {
  await engine.close();
  rmSync(root, { recursive: true });
});

function writeModel(name: string, weights: string): string {
  const path = join(root, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'config.json'), '{}');
  writeFileSync(join(path, 'model.safetensors'), weights);
  return path;
}

/** What was measured anew and what was known, or the code of the failure. */
async function evaluate(more: Partial<EvaluateInput> = {}, signal?: AbortSignal) {
  const data = join(root, 'text.txt');
  const request: EvaluateInput = { model, metrics: ['perplexity'], data, ...more };
  let last: EvaluateEvent | undefined;
  try {
    for await (const event of await client.evaluate(request, signal ? { signal } : {}))
      last = event;
  } catch (error) {
    return fromOrpc(error).code;
  }
  if (last?.kind !== 'done') return 'no result';
  const { known, results } = last;
  return {
    known,
    measured: results.map(({ metric }) => metric).filter((one) => !known.includes(one)),
  };
}

const anew = { known: [], measured: ['perplexity'] };
const again = { known: ['perplexity'], measured: [] };

describe('an evaluation', () => {
  test('is measured once, and again only when that is asked for', async () => {
    expect(await evaluate()).toEqual(anew);
    expect(await evaluate()).toEqual(again);
    expect(await evaluate({ again: true })).toEqual(anew);
    expect(await evaluate({ metrics: ['kl', 'perplexity', 'bits-per-byte'] })).toEqual({
      known: ['perplexity'],
      measured: ['kl', 'bits-per-byte'],
    });
  });

  test.each<[string, () => Partial<EvaluateInput>]>([
    ['data', () => ({ data: join(root, 'other.txt') })],
    ['content of the data', () => (writeFileSync(join(root, 'text.txt'), 'changed'), {})],
    ['model', () => ({ model: writeModel('second', 'others') })],
    ['weights', () => (writeModel('model', 'new weights'), {})],
    ['base', () => ({ against: writeModel('second', 'others') })],
    ['limit', () => ({ limit: 3 })],
    ['seed', () => ({ seed: 1 })],
    ['policy for long texts', () => ({ long: 'refuse' })],
    ['field map', () => ({ fields: { text: 'story' } })],
  ])('is another one with another %s', async (_, change) => {
    await evaluate();
    expect(await evaluate(change())).toEqual(anew);
  });

  test('knows an equal model by its content, whatever its folder', async () => {
    await evaluate();
    expect(await evaluate({ model: writeModel('elsewhere', 'weights') })).toEqual(again);
  });

  test('that is cancelled or crashes leaves nothing recorded', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    expect(await evaluate({ again: true }, stop.signal)).toBe('cancelled');
    expect(await evaluate({ data: join(root, 'crash.txt') })).toBe('runner_crashed');
    expect(await evaluate({ data: join(root, 'crash.txt') })).toBe('runner_crashed');
    expect(await evaluate()).toEqual(anew);
  });

  test('refuses metrics that read different data, and data that is not there', async () => {
    expect(await evaluate({ metrics: ['perplexity', 'accuracy'] })).toBe('usage');
    expect(await evaluate({ data: 'nothing-of-this-name' })).toBe('file_missing');
    expect(await evaluate({ data: join(root, 'none.txt') })).toBe('file_missing');
  });
});
