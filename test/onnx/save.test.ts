import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, expect, test } from 'vitest';
import { graphValue } from '../../main/onnx/attributes.ts';
import { GraphBuilder } from '../../main/onnx/build.ts';
import { loadModel } from '../../main/onnx/load.ts';
import type { Graph, Model } from '../../main/onnx/model.ts';
import { encodeModel, saveModel } from '../../main/onnx/save.ts';
import { lazyTensor, tensorOf } from '../../main/onnx/tensor.ts';

const folder = mkdtempSync(join(tmpdir(), 'lathe-save-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ROWS = 512;

/** y = x · first · second, each of 1 MiB and 4 bytes or more, with a small shift. */
function largeModel(name: string): Model {
  const build = new GraphBuilder({ name, opset: 21 });
  const x = build.input('x', 'float32', ['n', ROWS]);
  const columns = ROWS + 1;
  const first = new Float32Array(ROWS * columns).map((_, index) => (index % 7) - 3);
  const second = new Float32Array(columns * ROWS).map((_, index) => (index % 5) - 2);
  const [middle = ''] = build.node('MatMul', [
    x,
    build.initializer(tensorOf('first', [ROWS, columns], first)),
  ]);
  const [product = ''] = build.node('MatMul', [
    middle,
    build.initializer(tensorOf('second', [columns, ROWS], second)),
  ]);
  const [y = ''] = build.node('Add', [product, build.f32Scalar(1)], { outputs: ['y'] });
  build.output(y, 'float32', ['n', ROWS]);
  return build.finish();
}

async function run(model: string | Uint8Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(model as string, { logSeverityLevel: 4 });
  const x = new Float32Array(ROWS).map((_, index) => (index % 3) / 8);
  const { y } = await session.run({ x: new ort.Tensor('float32', x, [1, ROWS]) });
  await session.release();
  return y?.data as Float32Array;
}

test('weights over 1 MB go beside the file, aligned to a page; small ones stay inside', () => {
  const path = join(folder, 'large.onnx');
  saveModel(largeModel('large'), path);
  const model = loadModel(path);
  const bytes = ROWS * (ROWS + 1) * 4;
  const second = Math.ceil(bytes / 4096) * 4096;
  expect(statSync(`${path}.data`).size).toBe(second + bytes);
  expect(statSync(path).size).toBeLessThan(2000);
  const data = readFileSync(`${path}.data`);
  for (const [name, offset] of [
    ['first', 0],
    ['second', second],
  ] as const) {
    const weights = model.graph.initializers.get(name)?.bytes.read();
    expect(Buffer.compare(data.subarray(offset, offset + bytes), weights ?? data)).toBe(0);
  }
  model.close();
});

test('the saved model and the one in memory compute the same', async () => {
  const path = join(folder, 'run.onnx');
  saveModel(largeModel('run'), path);
  expect(await run(path)).toEqual(await run(encodeModel(largeModel('run'))));
});

test('the same model gives the same bytes, also after it was read', () => {
  // Each in a folder of its own: the file names the one beside it.
  const paths = ['one', 'two', 'three'].map((name) => join(folder, name, 'model.onnx'));
  for (const path of paths) mkdirSync(dirname(path));
  const [one = '', two = '', three = ''] = paths;
  saveModel(largeModel('same'), one);
  saveModel(largeModel('same'), two);
  const read = loadModel(one);
  saveModel(read, three);
  for (const suffix of ['', '.data']) {
    const [first, ...others] = paths.map((path) => readFileSync(path + suffix));
    for (const other of others) expect(first?.equals(other)).toBe(true);
  }
  // Onto itself: its weights are read from the file that is being replaced.
  saveModel(read, one);
  read.close();
  expect(readFileSync(`${one}.data`).equals(readFileSync(`${two}.data`))).toBe(true);
});

test('weights of a branch go beside the file too, and run', async () => {
  const branch = (name: string, shift: number): Graph => {
    const build = new GraphBuilder({ name, opset: 21 });
    const weight = new Float32Array(ROWS * (ROWS + 1)).fill(shift);
    const constant = build.initializer(tensorOf(`${name}.w`, [ROWS + 1, ROWS], weight));
    const outputs = build.node('ReduceSum', [constant, build.i64([0])], { outputs: [`${name}.y`] });
    for (const output of outputs) build.output(output, 'float32', [1, ROWS]);
    return build.finish().graph;
  };
  const build = new GraphBuilder({ name: 'branches', opset: 21 });
  const x = build.input('x', 'float32', ['n', ROWS]);
  const [sum = ''] = build.node('ReduceSum', [x], { outputs: ['sum'] });
  const [flag = ''] = build.node('Greater', [sum, build.f32Scalar(1e9)]);
  const [scalar = ''] = build.node('Squeeze', [flag]);
  build.node('If', [scalar], {
    outputs: ['y'],
    attributes: {
      then_branch: graphValue(branch('then', 1)),
      else_branch: graphValue(branch('else', 2)),
    },
  });
  build.output('y', 'float32', [1, ROWS]);
  const path = join(folder, 'branches.onnx');
  saveModel(build.finish(), path);
  expect(statSync(path).size).toBeLessThan(4000);
  expect((await run(path))[0]).toBe(2 * (ROWS + 1));
});

test('a model that cannot be written leaves nothing behind and the old one in place', () => {
  const path = join(folder, 'kept.onnx');
  saveModel(largeModel('kept'), path);
  const before = readFileSync(path);
  const build = new GraphBuilder({ name: 'broken', opset: 21 });
  build.initializer(
    lazyTensor('w', 'float32', [1024, 1024], () => {
      throw new Error('the disk is gone');
    }),
  );
  expect(() => saveModel(build.finish(), path)).toThrow('the disk is gone');
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
});

test('a model beyond 2 GiB is not encoded in one piece', () => {
  const build = new GraphBuilder({ name: 'huge', opset: 21 });
  build.initializer(
    lazyTensor('w', 'float32', [2 ** 29], () => {
      throw new Error('read before it was measured');
    }),
  );
  expect(() => encodeModel(build.finish())).toThrow(
    expect.objectContaining({ code: 'file_too_large' }),
  );
});
