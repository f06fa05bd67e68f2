import { expect, test } from 'vitest';
import { GraphBuilder } from '../../main/onnx/build.ts';
import type { Model, ValueType } from '../../main/onnx/model.ts';
import { summarise } from '../../main/onnx/walk.ts';
import { smallModel } from './mutate.ts';

test('a summary counts operators in branches too, and describes inputs and outputs', () => {
  expect(summarise(smallModel())).toEqual({
    opsets: { '': 21 },
    nodes: 11,
    operators: {
      MatMul: 1,
      Mul: 1,
      Constant: 1,
      If: 1,
      Relu: 1,
      Abs: 1,
      LeakyRelu: 1,
      Reshape: 1,
      Transpose: 1,
      Cast: 1,
      Gelu: 1,
    },
    inputs: [{ name: 'x', dataType: 'float32', shape: ['batch', 4] }],
    outputs: [
      { name: 'y', dataType: 'float32', shape: [2, 'rows'] },
      { name: 'scaled', dataType: 'float32', shape: ['batch', 4] },
    ],
  });
});

test('types of every kind have a name', () => {
  const tensor: ValueType = { kind: 'tensor', dataType: 'int64', shape: [null, 3] };
  const types: (ValueType | null)[] = [
    tensor,
    { kind: 'tensor', dataType: 'float16', shape: null },
    { kind: 'sparseTensor', dataType: 'float32', shape: [2] },
    { kind: 'sequence', element: tensor },
    { kind: 'optional', element: { kind: 'sequence', element: null } },
    { kind: 'map', key: 'string', value: tensor },
    { kind: 'opaque' },
    null,
  ];
  const model = new GraphBuilder({ name: 'types', opset: 21 }).finish();
  const inputs = types.map((type, index) => ({ name: `v${index}`, type }));
  const typed: Model = { ...model, graph: { ...model.graph, inputs } };
  expect(summarise(typed).inputs.map(({ dataType, shape }) => [dataType, shape])).toEqual([
    ['int64', ['?', 3]],
    ['float16', []],
    ['sparse(float32)', []],
    ['sequence(int64)', []],
    ['optional(sequence(unknown))', []],
    ['map(string, int64)', []],
    ['unknown', []],
    ['unknown', []],
  ]);
});
