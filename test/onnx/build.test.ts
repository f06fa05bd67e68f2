import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { float, int, ints, text } from '../../main/onnx/attributes.ts';
import { GraphBuilder } from '../../main/onnx/build.ts';
import { checkModel } from '../../main/onnx/check.ts';
import { encodeModel } from '../../main/onnx/save.ts';
import { lazyTensor, tensorOf } from '../../main/onnx/tensor.ts';
import { smallModel } from './mutate.ts';

const invalid = expect.objectContaining({ code: 'graph_invalid' });
const builder = (): GraphBuilder => new GraphBuilder({ name: 'test', opset: 21 });

test('a built model runs and computes what it says', async () => {
  const model = smallModel();
  expect(checkModel(model, 'small')).toEqual([]);
  const session = await ort.InferenceSession.create(encodeModel(model), { logSeverityLevel: 4 });
  const x = new ort.Tensor('float32', Float32Array.of(1, 2, 3, 10), [1, 4]);
  const { y, scaled } = await session.run({ x });
  await session.release();
  // Each weight is 0.5: 2 · 0.5 · (1 + 2 + 3 + 10) = 16, which none of the activations changes.
  expect([y?.dims, [...((y?.data as Float32Array | undefined) ?? [])]]).toEqual([
    [2, 2],
    [16, 16, 16, 16],
  ]);
  expect([...((scaled?.data as Float32Array | undefined) ?? [])]).toEqual([16, 16, 16, 16]);
});

test('a sequence can be an output', async () => {
  const build = builder();
  const x = build.input('x', 'float32', ['n']);
  const [pair = ''] = build.node('SequenceConstruct', [x, x], { outputs: ['pair'] });
  build.sequenceOutput(pair, 'float32');
  const [y = ''] = build.node('Neg', [x]);
  build.output(y, 'float32', ['n']);
  const session = await ort.InferenceSession.create(encodeModel(build.finish()));
  expect(session.outputNames).toEqual(['pair', y]);
  const result = await session.run({ x: new ort.Tensor('float32', Float32Array.of(2), [1]) }, [y]);
  await session.release();
  expect(result[y]?.data).toEqual(Float32Array.of(-2));
});

test('an equal constant is stored once', () => {
  const build = builder();
  const names = [
    build.i64([1, -2]),
    build.i64([1, -2]),
    build.i64Scalar(1),
    build.i64([1]),
    build.f32Scalar(0.1),
    build.f32Scalar(Math.fround(0.1)),
    build.f32Scalar(0),
    build.f32Scalar(-0),
  ];
  expect(new Set(names).size).toBe(6);
  const { initializers } = build.finish().graph;
  expect([...initializers.keys()]).toEqual([...new Set(names)]);
  const scalar = initializers.get(build.i64Scalar(1));
  expect([scalar?.dims, [...(scalar?.bytes.read() ?? [])]]).toEqual([[], [1, 0, 0, 0, 0, 0, 0, 0]]);
});

test('nodes and outputs get names of their own', () => {
  const build = builder();
  const x = build.input('x', 'float32', []);
  expect(build.node('Relu', [x])).toEqual(['Relu_0']);
  expect(build.node('Split', [x], { outputs: 2 })).toEqual(['Split_1:0', 'Split_1:1']);
  expect(build.node('Add', [x, x], { outputs: ['sum'], name: 'adds' })).toEqual(['sum']);
  expect(build.finish().graph.nodes.map(({ name }) => name)).toEqual(['Relu_0', 'Split_1', 'adds']);
});

test('a name given twice, or used before it is given, is refused', () => {
  const build = builder();
  build.input('x', 'float32', []);
  const tensor = tensorOf('c', [1], Float32Array.of(1));
  expect(build.initializer(tensor)).toBe(build.initializer(tensor));
  expect(() => build.initializer(tensorOf('c', [1], Float32Array.of(2)))).toThrow(invalid);
  expect(() => build.input('x', 'float32', [])).toThrow(invalid);
  expect(() => build.node('Relu', ['x'], { outputs: ['x'] })).toThrow(invalid);
  expect(() => build.node('Relu', ['y'])).toThrow(invalid);
  expect(() => build.output('y', 'float32', [])).toThrow(invalid);
});

test('the operators of Microsoft are imported on demand', () => {
  const model = new GraphBuilder({ name: 'ms', opset: 20, msOpset: true, irVersion: 9 }).finish();
  expect([model.irVersion, [...model.opsets]]).toEqual([
    9,
    [
      ['', 20],
      ['com.microsoft', 1],
    ],
  ]);
});

test('attribute values say their type', () => {
  expect([int(3), ints([1, 2n]), float(0.1), text('é')]).toEqual([
    { kind: 'int', value: 3n },
    { kind: 'ints', value: [1n, 2n] },
    { kind: 'float', value: Math.fround(0.1) },
    { kind: 'string', value: Uint8Array.of(0xc3, 0xa9) },
  ]);
});

test('a tensor has as many elements as its shape says', () => {
  expect(() => tensorOf('c', [3], Float32Array.of(1))).toThrow('1 elements for shape [3]');
  expect(lazyTensor('c', 'int4', [3], () => new Uint8Array(2)).bytes.length).toBe(2);
});
