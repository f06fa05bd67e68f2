import { describe, expect, test } from 'vitest';
import { graphValue, tensorValue } from '../../main/onnx/attributes.ts';
import { GraphBuilder } from '../../main/onnx/build.ts';
import { checkModel, type Risk } from '../../main/onnx/check.ts';
import type {
  Attribute,
  Graph,
  LocalFunction,
  Model,
  Node,
  ValueInfo,
} from '../../main/onnx/model.ts';
import { tensorOf, type Tensor } from '../../main/onnx/tensor.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import { smallModel } from './mutate.ts';

const value = (name: string): ValueInfo => ({ name, type: null });

function node(
  opType: string,
  inputs: string[],
  outputs: string[],
  options: Partial<Node> = {},
): Node {
  return {
    name: opType,
    opType,
    domain: '',
    overload: '',
    inputs,
    outputs,
    attributes: new Map(),
    ...options,
  };
}

function graphOf(nodes: Node[], options: Partial<Graph> = {}): Graph {
  return {
    name: 'graph',
    nodes,
    initializers: new Map(),
    sparseInitializers: [],
    inputs: [value('x')],
    outputs: [value('y')],
    valueInfo: [],
    ...options,
  };
}

function modelOf(nodes: Node[], options: Partial<Graph> = {}, more: Partial<Model> = {}): Model {
  return {
    irVersion: 10,
    opsets: new Map([['', 21]]),
    producerName: '',
    producerVersion: '',
    graph: graphOf(nodes, options),
    functions: [],
    training: [],
    ...more,
  };
}

const constants = (...tensors: Tensor[]): Partial<Graph> => ({
  initializers: new Map(tensors.map((tensor) => [tensor.name, tensor])),
});
const graphAttribute = (name: string, graph: Graph): Map<string, Attribute> =>
  new Map([[name, { ...graphValue(graph), name }]]);

const check = (model: Model): Risk[] => checkModel(model, 'model.onnx');
function faultOf(model: Model): string {
  try {
    check(model);
  } catch (error) {
    if (!(error instanceof LatheError) || error.code !== 'graph_invalid') throw error;
    return error.data.file === 'model.onnx' ? error.message : 'no file is named';
  }
  return 'accepted';
}

const functionOf = (name: string, nodes: Node[]): LocalFunction => ({
  name,
  domain: 'local',
  overload: '',
  inputs: ['a'],
  outputs: ['b'],
  attributes: [],
  defaults: new Map(),
  nodes,
  opsets: new Map([
    ['', 21],
    ['local', 1],
  ]),
  valueInfo: [],
});

const call = (name: string, input: string, output: string): Node =>
  node(name, [input], [output], { domain: 'local' });

const integers = (...values: number[]): Tensor =>
  tensorOf('c', [values.length], Int32Array.from(values));

const divide = (opType: string, tensor: Tensor): Model =>
  modelOf([node(opType, ['x', 'c'], ['y'])], constants(tensor));

const loopOf = (rounds: string, tensors: Tensor[] = []): Model =>
  modelOf([node('Loop', [rounds, '', 'x'], ['y'])], constants(...tensors));

const roundsOf = (count: bigint): Tensor => tensorOf('m', [], BigInt64Array.of(count));

test('a sound model passes without risks', () => {
  expect(check(smallModel())).toEqual([]);
});

describe('values', () => {
  const relu = node('Relu', ['x'], ['y']);
  test.each<[string, Model, string]>([
    ['that nothing gives', modelOf([node('Add', ['x', 'ghost'], ['y'])]), 'ghost'],
    [
      'used before they are given',
      modelOf([node('Relu', ['z'], ['y']), node('Abs', ['x'], ['z'])]),
      ': z',
    ],
    ['in a circle', modelOf([node('Add', ['x', 'y'], ['z']), node('Relu', ['z'], ['y'])]), ': y'],
    ['given twice', modelOf([relu, node('Abs', ['x'], ['y'])]), 'given twice: y'],
    ['given twice by one node', modelOf([node('Split', ['x'], ['y', 'y'])]), 'given twice: y'],
    ['that overwrite an input', modelOf([relu, node('Abs', ['y'], ['x'])]), 'given twice: x'],
    [
      'that overwrite a constant',
      modelOf([relu, node('Abs', ['y'], ['c'])], constants(tensorOf('c', [], Float32Array.of(1)))),
      'given twice: c',
    ],
    [
      'that are inputs twice',
      modelOf([relu], { inputs: [value('x'), value('x')] }),
      'given twice: x',
    ],
    [
      'that are outputs of nothing',
      modelOf([node('Relu', ['x'], ['z'])]),
      'nothing gives an output of graph: y',
    ],
    ['of no output at all', modelOf([relu], { outputs: [] }), 'no outputs'],
  ])('%s are refused', (_, model, text) => {
    expect(faultOf(model)).toContain(text);
  });

  test('may be absent, and constants may be defaults of inputs', () => {
    const absent = node('Clip', ['x', '', 'c'], ['y', '', '']);
    const options = {
      ...constants(tensorOf('c', [], Float32Array.of(1))),
      inputs: [value('x'), value('c')],
    };
    expect(check(modelOf([absent], options))).toEqual([]);
  });

  test('of outer graphs are seen inside, not the other way round', () => {
    const inner = (use: string): Graph =>
      graphOf([node('Relu', [use], ['inner'])], { inputs: [], outputs: [value('inner')] });
    const conditional = (use: string): Node =>
      node('If', ['x'], ['y'], { attributes: graphAttribute('then_branch', inner(use)) });
    expect(check(modelOf([conditional('x')]))).toEqual([]);
    expect(faultOf(modelOf([conditional('y')]))).toContain(': y');
    expect(faultOf(modelOf([conditional('x'), node('Abs', ['inner'], ['z'])]))).toContain(
      ': inner',
    );
  });

  test('of an outer graph are no output of an inner one', () => {
    const inner = graphOf([], { inputs: [], outputs: [value('x')] });
    const conditional = node('If', ['x'], ['y'], {
      attributes: graphAttribute('else_branch', inner),
    });
    expect(faultOf(modelOf([conditional]))).toContain('nothing gives an output of graph: x');
  });
});

describe('operator sets', () => {
  const relu = node('Relu', ['x'], ['y']);
  test.each<[string, Model, string]>([
    ['missing', modelOf([relu], {}, { opsets: new Map() }), 'no operator set'],
    ['of another domain only', modelOf([{ ...relu, domain: 'other' }]), 'not imported: other'],
    ['below 1', modelOf([relu], {}, { opsets: new Map([['', -1]]) }), 'version of operator set'],
  ])('%s are refused', (_, model, text) => {
    expect(faultOf(model)).toContain(text);
  });

  test('of ONNX have two names', () => {
    expect(check(modelOf([relu], {}, { opsets: new Map([['ai.onnx', 21]]) }))).toEqual([]);
    expect(check(modelOf([{ ...relu, domain: 'ai.onnx' }]))).toEqual([]);
  });

  test('of the runtime’s own need no import', () => {
    expect(check(modelOf([{ ...relu, domain: 'com.microsoft' }]))).toEqual([]);
  });

  test('did not exist before IR version 3', () => {
    expect(check(modelOf([relu], {}, { opsets: new Map(), irVersion: 2 }))).toEqual([]);
  });

  test('hold operators with a name', () => {
    expect(faultOf(modelOf([node('', ['x'], ['y'])]))).toContain('no operator');
  });
});

const calling = (...functions: LocalFunction[]): Model =>
  modelOf(
    [call('F0', 'x', 'y')],
    {},
    {
      functions,
      opsets: new Map([
        ['', 21],
        ['local', 1],
      ]),
    },
  );
const doubling = (levels: number): LocalFunction[] =>
  Array.from({ length: levels }, (_, level) => {
    const next = (from: string, to: string): Node =>
      level === levels - 1 ? node('Relu', [from], [to]) : call(`F${level + 1}`, from, to);
    return functionOf(`F${level}`, [next('a', 'm'), next('m', 'b')]);
  });

describe('functions', () => {
  test('are allowed up to a hundred thousand nodes when written out', () => {
    expect(check(calling(...doubling(15)))).toEqual([]);
    expect(faultOf(calling(...doubling(16)))).toContain('functions may become 100000 nodes');
    expect(faultOf(calling(...doubling(60)))).toContain('functions may become 100000 nodes');
  });

  test('in branches count as well', () => {
    const branch = graphOf([call('F0', 'x', 'inner')], { inputs: [], outputs: [value('inner')] });
    const conditional = (output: string): Node =>
      node('If', ['x'], [output], { attributes: graphAttribute('then_branch', branch) });
    const model = calling(...doubling(14));
    // Each call becomes 32,767 nodes: three are allowed, four are not.
    const three = ['y', 'z', 'w'].map(conditional);
    expect(check({ ...model, graph: graphOf(three) })).toEqual([]);
    const four = [...three, conditional('v')];
    expect(faultOf({ ...model, graph: graphOf(four) })).toContain('functions may become');
  });

  test('that call themselves are refused, called or not', () => {
    const own = functionOf('F0', [call('F0', 'a', 'b')]);
    expect(faultOf(calling(own))).toContain('calls itself: F0');
    const mutual = [
      functionOf('F0', [call('F1', 'a', 'b')]),
      functionOf('F1', [call('F0', 'a', 'b')]),
    ];
    expect(faultOf(calling(...mutual))).toContain('calls itself');
    const idle = { ...calling(...mutual), graph: graphOf([node('Relu', ['x'], ['y'])]) };
    expect(faultOf(idle)).toContain('calls itself');
  });

  test('in a long chain are refused before the stack ends', () => {
    const chain = Array.from({ length: 50_000 }, (_, level) =>
      functionOf(`F${level}`, [
        level === 49_999 ? node('Relu', ['a'], ['b']) : call(`F${level + 1}`, 'a', 'b'),
      ]),
    );
    expect(faultOf(calling(...chain))).toContain('too deeply');
  });

  test('are checked inside', () => {
    expect(faultOf(calling(functionOf('F0', [node('Relu', ['x'], ['b'])])))).toContain(': x');
    expect(faultOf(calling(functionOf('F0', [node('Relu', ['a'], ['c'])])))).toContain(
      'nothing gives an output of F0: b',
    );
    expect(
      faultOf(calling(functionOf('F0', [node('Relu', ['a'], ['b'])]), functionOf('F0', []))),
    ).toContain('two functions');
  });
});

describe('risks', () => {
  test.each<[string, Model]>([
    ['division by −1', divide('Div', integers(4, -1))],
    ['division by 0', divide('Div', integers(0))],
    ['remainder by −1', divide('Mod', integers(-1))],
    ['division of int64 by −1', divide('Div', tensorOf('c', [1], BigInt64Array.of(-1n)))],
    ['division of int8 by −1', divide('Div', tensorOf('c', [1], Int8Array.of(-1)))],
    ['division by 0 without a sign', divide('Div', tensorOf('c', [1], Uint8Array.of(0)))],
  ])('%s is one', (_, model) => {
    expect(check(model).map(({ node: name, message }) => [name, message])).toEqual([
      [model.graph.nodes[0]?.opType, expect.stringContaining('can end the process')],
    ]);
  });

  test('a divisor of a Constant node or of an outer graph is seen', () => {
    const constant = node('Constant', [], ['c'], {
      attributes: new Map([['value', { ...tensorValue(integers(-1)), name: 'value' }]]),
    });
    expect(check(modelOf([constant, node('Div', ['x', 'c'], ['y'])]))).toHaveLength(1);
    const inner = graphOf([node('Div', ['x', 'c'], ['inner'])], {
      inputs: [],
      outputs: [value('inner')],
    });
    const conditional = node('If', ['x'], ['y'], {
      attributes: graphAttribute('then_branch', inner),
    });
    expect(check(modelOf([conditional], constants(integers(-1))))).toHaveLength(1);
    const hidden = { ...inner, inputs: [value('c')] };
    const loop = node('Scan', ['x'], ['y'], { attributes: graphAttribute('body', hidden) });
    expect(check(modelOf([loop], constants(integers(-1))))).toEqual([]);
  });

  test.each<[string, Model]>([
    ['division by other integers', divide('Div', integers(2, -2))],
    ['division of floats by 0', divide('Div', tensorOf('c', [1], Float32Array.of(0)))],
    ['multiplication by −1', divide('Mul', integers(-1))],
  ])('%s is none', (_, model) => expect(check(model)).toEqual([]));

  test.each([
    [[2 ** 20, 2 ** 20], 1],
    [[2 ** 40, 2 ** 40, 0], 0],
    [[1000, 1000], 0],
  ])('a constant made in shape %j: %i', (shape, risks) => {
    const tensor = tensorOf('c', [shape.length], BigInt64Array.from(shape, BigInt));
    const model = modelOf([node('ConstantOfShape', ['c'], ['y'])], constants(tensor));
    expect(check(model)).toHaveLength(risks);
  });

  test.each<[string, Model, number]>([
    ['without a bound', loopOf(''), 1],
    ['with a bound from outside', loopOf('x'), 1],
    ['of 2^63 − 1 rounds', loopOf('m', [roundsOf(2n ** 63n - 1n)]), 1],
    ['of a million rounds', loopOf('m', [roundsOf(1_000_000n)]), 0],
  ])('a loop %s: %#', (_, model, risks) => {
    expect(check(model)).toHaveLength(risks);
  });
});

test('typed lists of the wrong length are found', () => {
  const broken: Tensor = {
    name: 'c',
    dataType: 'int64',
    dims: [2],
    bytes: {
      length: 16,
      read: () => {
        throw new Error('number of elements');
      },
      packed: { field: 'int64Data', payload: { length: 2, read: () => new Uint8Array(2) } },
    },
  };
  expect(() => check(modelOf([node('Add', ['x', 'c'], ['y'])], constants(broken)))).toThrow(
    'number of elements',
  );
});

test('twenty thousand nodes and a deep name are no fault', () => {
  const build = new GraphBuilder({ name: 'chain', opset: 21 });
  let last = build.input('x', 'float32', ['n']);
  for (let index = 0; index < 20_000; index += 1) [last = ''] = build.node('Identity', [last]);
  build.output(last, 'float32', ['n']);
  expect(check(build.finish())).toEqual([]);
});
