import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPart, withSession } from '../../../main/engine/calibration/sessions.ts';
import { float32, floatsOf } from '../../../main/inference/session.ts';
import { GraphBuilder } from '../../../main/onnx/build.ts';
import { loadModel } from '../../../main/onnx/load.ts';
import type { Model } from '../../../main/onnx/model.ts';
import { encodeModel, liesIn, saveModel, weightsFolder } from '../../../main/onnx/save.ts';
import { tensorOf } from '../../../main/onnx/tensor.ts';

/** Elements of the large constants: each has 16 MB. */
const LARGE = 2 ** 22;

/** Elements of the small ones: each has 1 MB. */
const SMALL = 2 ** 18;

/** Sums of an input with three large constants and a small one. */
function sums(): Model {
  const graph = new GraphBuilder({ name: 'sums', opset: 21 });
  let sum = graph.input('x', 'float32', [LARGE]);
  for (const [at, value] of [1, 10, 100].entries()) {
    const data = new Float32Array(LARGE).fill(value);
    const constant = graph.initializer(tensorOf(`large_${at}`, [LARGE], data));
    [sum] = graph.node('Add', [sum, constant], { outputs: [`sum_${at}`] });
  }
  graph.node('Add', [sum, graph.f32Scalar(1000)], { outputs: ['y'] });
  graph.output('y', 'float32', [LARGE]);
  return graph.finish();
}

let root: string;
beforeAll(() => void (root = mkdtempSync(join(tmpdir(), 'lathe-sessions-'))));
afterAll(() => rmSync(root, { recursive: true }));

const place = (name: string) => ({
  threads: 1,
  device: 'cpu' as const,
  scratch: join(root, name),
});

async function run(model: Model, name: string): Promise<number> {
  return withSession(model, place(name), async (session) => {
    const { y } = await session.run({ x: float32(new Float32Array(LARGE).fill(5), [LARGE]) }, [
      'y',
    ]);
    return floatsOf(y)[LARGE - 1];
  });
}

describe('a part of a graph', () => {
  test('whose weights are made in memory goes through a file, which goes with the session', async () => {
    const model = sums();
    expect(weightsFolder(model)).toBe(null);
    const { session, close } = await openPart(model, place('memory'));
    expect(readdirSync(join(root, 'memory'))).toHaveLength(1);
    expect(session.inputs.map(({ name }) => name)).toEqual(['x']);
    await close();
    expect(readdirSync(join(root, 'memory'))).toEqual([]);
    expect(await run(model, 'memory')).toBe(1116);
  });

  test('of many small weights, which a file would hold inside too, needs none', async () => {
    const graph = new GraphBuilder({ name: 'many', opset: 21 });
    let sum = graph.input('x', 'float32', [SMALL]);
    for (let at = 0; at < 36; at++) {
      const constant = tensorOf(`small_${at}`, [SMALL], new Float32Array(SMALL).fill(at));
      [sum] = graph.node('Add', [sum, graph.initializer(constant)], { outputs: [`sum_${at}`] });
    }
    graph.node('Identity', [sum], { outputs: ['y'] });
    graph.output('y', 'float32', [SMALL]);
    const total = await withSession(graph.finish(), place('many'), async (session) => {
      const feeds = { x: float32(new Float32Array(SMALL), [SMALL]) };
      return floatsOf((await session.run(feeds, ['y']))['y'])[SMALL - 1];
    });
    expect(total).toBe((35 * 36) / 2);
    expect(existsSync(join(root, 'many'))).toBe(false);
  });

  test('whose weights lie in a file beside its graph is loaded without another', async () => {
    const folder = join(root, 'saved');
    mkdirSync(folder);
    saveModel(sums(), join(folder, 'model.onnx'));
    const loaded = loadModel(join(folder, 'model.onnx'));
    expect(weightsFolder(loaded)).toBe(folder);
    const names = [...loaded.graph.initializers.values()].map((one) => [
      one.name,
      liesIn(one, folder),
    ]);
    expect(Object.fromEntries(names)).toMatchObject({
      large_0: true,
      large_2: true,
      'f32(1000)': false,
    });
    expect(encodeModel(loaded, folder).length).toBeLessThan(2000);
    expect(encodeModel(loaded).length).toBeGreaterThan(12 * LARGE);
    expect(await run(loaded, 'none')).toBe(1116);
    expect(existsSync(join(root, 'none'))).toBe(false);
    loaded.close();
  });

  test('whose weights lie in files of two folders is loaded without another', async () => {
    const folders = ['saved', 'beside/another'].map((name) => join(root, name));
    mkdirSync(folders[1], { recursive: true });
    saveModel(sums(), join(folders[1], 'model.onnx'));
    const [one, two] = folders.map((folder) => loadModel(join(folder, 'model.onnx')));
    const other = two.graph.initializers.get('large_1');
    if (other === undefined) throw new Error('the constant is not there');
    const initializers = new Map(one.graph.initializers).set('large_1', other);
    const model = { ...one, graph: { ...one.graph, initializers } };
    expect(weightsFolder(model)).toBe(root);
    expect(encodeModel(model, root).length).toBeLessThan(2000);
    expect(await run(model, 'none')).toBe(1116);
    expect(existsSync(join(root, 'none'))).toBe(false);
    for (const loaded of [one, two]) loaded.close();
  });

  test('whose weights are a link into the download cache is loaded from there', async () => {
    const [blobs, snapshot] = ['blobs', 'snapshots/abc'].map((name) => join(root, 'cache', name));
    for (const folder of [blobs, snapshot]) mkdirSync(folder, { recursive: true });
    saveModel(sums(), join(snapshot, 'model.onnx'));
    renameSync(join(snapshot, 'model.onnx.data'), join(blobs, '0123'));
    symlinkSync('../../blobs/0123', join(snapshot, 'model.onnx.data'));
    const loaded = loadModel(join(snapshot, 'model.onnx'));
    expect(weightsFolder(loaded)).toBe(realpathSync(blobs));
    expect(await run(loaded, 'none')).toBe(1116);
    expect(existsSync(join(root, 'none'))).toBe(false);
    loaded.close();
  });

  test('some of whose weights were changed takes these from memory', async () => {
    const folder = join(root, 'saved');
    const loaded = loadModel(join(folder, 'model.onnx'));
    const changed = tensorOf('large_1', [LARGE], new Float32Array(LARGE).fill(20));
    const initializers = new Map(loaded.graph.initializers).set('large_1', changed);
    const model = { ...loaded, graph: { ...loaded.graph, initializers } };
    expect(await run(model, 'mixed')).toBe(1126);
    expect(existsSync(join(root, 'mixed'))).toBe(false);
    loaded.close();
  });
});
