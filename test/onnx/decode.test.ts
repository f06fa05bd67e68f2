import { describe, expect, test } from 'vitest';
import { checkModel } from '../../main/onnx/check.ts';
import { decodeModel } from '../../main/onnx/load.ts';
import type { Model } from '../../main/onnx/model.ts';
import { encodeModel } from '../../main/onnx/save.ts';
import { createRandom } from '../../main/numeric/random.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import { mutate, smallModel } from './mutate.ts';
import { block, float, integer, text } from './protobuf.ts';

const opset = block(8, [...text(1, ''), ...integer(2, 21)]);
const modelWith = (...graph: number[][]): Uint8Array =>
  Uint8Array.from([...integer(1, 10), ...block(7, graph.flat()), ...opset]);
const decode = (bytes: Uint8Array): Model => decodeModel(bytes, 'model.onnx');

const keyValue = (field: number): number[] =>
  block(field, [...text(1, 'key'), ...text(2, 'value')]);

const attribute = (...fields: number[][]): Uint8Array =>
  modelWith(block(1, [...text(4, 'Op'), ...block(5, [...text(1, 'a'), ...fields.flat()])]));

const valueOf = (bytes: Uint8Array): unknown => decode(bytes).graph.nodes[0]?.attributes.get('a');

test('a model of ours decodes to what it was, and encodes to the same bytes', () => {
  const model = smallModel();
  const bytes = encodeModel(model);
  const decoded = decode(bytes);
  expect(encodeModel(decoded)).toEqual(bytes);
  expect(encodeModel(smallModel())).toEqual(bytes);
  expect(decoded.graph.nodes).toEqual(
    model.graph.nodes.map((node) => ({ ...node, attributes: expect.any(Map) as unknown })),
  );
  expect([decoded.opsets, decoded.irVersion, decoded.producerName]).toEqual([
    new Map([['', 21]]),
    10,
    'lathe',
  ]);
});

test('documentation, metadata, devices and fields from the future survive', () => {
  const future = integer(900, 7);
  const type = block(2, [
    ...block(1, [
      ...integer(1, 1),
      ...block(2, [
        ...block(1, [...integer(1, 2), ...text(3, 'N'), ...future]),
        ...block(1, []),
        ...future,
      ]),
      ...future,
    ]),
    ...text(6, 'IMAGE'),
    ...future,
  ]);
  const node = block(1, [
    ...text(1, 'x'),
    ...text(2, 'y'),
    ...text(4, 'Relu'),
    ...block(5, [
      ...text(1, 'a'),
      ...float(2, 1),
      ...text(13, 'why'),
      ...integer(20, 1),
      ...future,
    ]),
    ...text(6, 'doc'),
    ...text(7, ''),
    ...keyValue(9),
    ...block(10, [...text(1, 'gpu'), ...block(2, text(1, 'x')), ...integer(3, 1)]),
    ...future,
  ]);
  const tensor = [
    ...integer(1, 1),
    ...integer(2, 1),
    ...block(3, [...integer(1, 0), ...integer(2, 1)]),
  ];
  const constant = block(5, [
    ...tensor,
    ...text(8, 'c'),
    ...block(9, [0, 0, 0, 0]),
    ...keyValue(16),
    ...future,
  ]);
  const graph = block(7, [
    ...node,
    ...text(2, ''),
    ...constant,
    ...text(10, 'doc'),
    ...block(11, [...text(1, 'x'), ...type, ...text(3, 'doc'), ...keyValue(4), ...future]),
    ...block(12, text(1, 'y')),
    ...block(14, [...text(1, 'x'), ...keyValue(2)]),
    ...keyValue(16),
    ...future,
  ]);
  const fn = block(25, [
    ...text(1, 'F'),
    ...text(8, 'doc'),
    ...block(9, [...text(1, ''), ...integer(2, 21), ...future]),
    ...keyValue(14),
    ...future,
  ]);
  const bytes = Uint8Array.from([
    ...integer(1, 10),
    ...text(3, ''),
    ...text(4, 'our.domain'),
    ...integer(5, 3),
    ...text(6, 'doc'),
    ...graph,
    ...block(8, [...text(1, ''), ...integer(2, 21), ...future]),
    ...keyValue(14),
    ...block(20, [...block(2, text(2, 'training')), ...keyValue(3)]),
    ...fn,
    ...block(26, [...text(1, 'gpu'), ...integer(2, 2)]),
    ...future,
  ]);
  expect(encodeModel(decode(bytes))).toEqual(bytes);
});

test('types of sequences, maps, optionals, sparse tensors and opaque values survive', () => {
  const tensor = block(1, integer(1, 1));
  const types = [
    block(4, block(1, tensor)),
    block(5, [...integer(1, 8), ...block(2, tensor)]),
    block(9, block(1, block(4, block(1, tensor)))),
    block(8, [...integer(1, 7), ...block(2, block(1, text(2, 'n')))]),
    block(7, [...text(1, 'd'), ...text(2, 'n')]),
    [],
  ];
  const infos = types.map((type, index) => block(13, [...text(1, `v${index}`), ...block(2, type)]));
  const bytes = modelWith(...infos);
  const model = decode(bytes);
  expect(model.graph.valueInfo.map(({ type }) => type?.kind)).toEqual([
    'sequence',
    'map',
    'optional',
    'sparseTensor',
    'opaque',
    'none',
  ]);
  expect(encodeModel(model)).toEqual(bytes);
});

describe('attributes', () => {
  test('of a file before types were given have the type of what they hold', () => {
    expect(valueOf(attribute(float(2, 0.5)))).toEqual({ name: 'a', kind: 'float', value: 0.5 });
  });

  test('of a type without a value are zero or empty', () => {
    expect(valueOf(attribute(integer(20, 2)))).toEqual({ name: 'a', kind: 'int', value: 0n });
    expect(valueOf(attribute(integer(20, 7)))).toEqual({ name: 'a', kind: 'ints', value: [] });
  });

  test('may stand for an attribute of the function they are in', () => {
    const bytes = attribute(integer(20, 1), text(21, 'outer'));
    expect(valueOf(bytes)).toEqual({ name: 'a', kind: 'reference', value: 'outer', type: 1 });
    expect(encodeModel(decode(bytes))).toEqual(bytes);
  });

  test.each([
    ['two values', [integer(3, 1), text(4, 's'), integer(20, 2)]],
    ['a value of another type', [float(2, 1), integer(20, 2)]],
    ['no type and no value', []],
    ['a type that is none', [integer(3, 1), integer(20, 99)]],
    ['a tensor that is not there', [integer(20, 4)]],
    ['a value and a reference', [integer(3, 1), integer(20, 2), text(21, 'r')]],
  ])('with %s are refused', (_, fields) => {
    expect(() => decode(attribute(...fields))).toThrow(
      expect.objectContaining({ code: 'graph_invalid' }),
    );
  });
});

test.each<[string, Uint8Array]>([
  ['an empty file', new Uint8Array(0)],
  ['no graph', Uint8Array.from(integer(1, 10))],
  [
    'two constants of one name',
    modelWith(
      ...[1, 2].map(() => block(5, [...integer(2, 1), ...text(8, 'c'), ...block(9, [0, 0, 0, 0])])),
    ),
  ],
  [
    'two attributes of one name',
    modelWith(
      block(
        1,
        [1, 2].flatMap(() => block(5, [...text(1, 'a'), ...integer(3, 1)])),
      ),
    ),
  ],
  ['an operator set imported twice', Uint8Array.from([...block(7, []), ...opset, ...opset])],
  ['an IR version beyond 2^53', Uint8Array.from([...integer(1, 2n ** 60n), ...block(7, [])])],
  ['an unknown element type', modelWith(block(11, block(2, block(1, integer(1, 99)))))],
])('%s is no model', (_, bytes) => {
  expect(() => decode(bytes)).toThrow(
    expect.objectContaining({
      code: 'graph_invalid',
      data: expect.objectContaining({
        file: 'model.onnx',
        offset: expect.any(Number) as unknown,
      }) as unknown,
    }),
  );
});

test('external data is refused where there is no folder', () => {
  const entry = block(13, [...text(1, 'location'), ...text(2, 'weights')]);
  const tensor = [...integer(1, 1), ...integer(2, 1), ...text(8, 'w'), ...entry, ...integer(14, 1)];
  expect(() => decode(modelWith(block(5, tensor)))).toThrow(
    expect.objectContaining({ code: 'path_refused' }),
  );
});

test('1,000 damaged models are decoded, or refused with a typed error', () => {
  const bytes = encodeModel(smallModel());
  const random = createRandom(20);
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < 1000; round += 1) {
    const damaged = mutate(bytes, random);
    try {
      const model = decode(damaged);
      checkModel(model, 'model.onnx');
      counts.accepted += 1;
      const written = encodeModel(model);
      expect(encodeModel(decode(written)), `round ${round}`).toEqual(written);
    } catch (error) {
      if (!(error instanceof LatheError)) throw new Error(`round ${round}`, { cause: error });
      counts.refused += 1;
    }
  }
  // Both ends are reached, or the damage would show nothing.
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(100);
});
