import { describe, expect, test } from 'vitest';
import { LatheError } from '../../preload/contract/errors.ts';
import { schema, type Field, type MessageName, type Wire } from '../../main/onnx/schema.ts';
import { readMessage, writeMessage } from '../../main/onnx/wire.ts';
import { block, float, integer, sourceOf, text, varint } from './protobuf.ts';

const read = <M extends MessageName>(name: M, bytes: Iterable<number>): Wire<M> =>
  readMessage(name, sourceOf(bytes)).wire;

const failure = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    if (error instanceof LatheError) return [error.code, error.data.offset];
    throw error;
  }
  return 'accepted';
};

const ones = (count: number): number[] => Array.from({ length: count }, () => 255);

const tensor = (code: number): number[] => block(1, integer(1, code));

const nested = (depth: number): number[] => {
  let bytes: number[] = [];
  for (let level = 0; level < depth; level += 1) bytes = block(4, block(1, bytes));
  return bytes;
};

const groups = (depth: number): number[] =>
  [3, 4].flatMap((wireType) =>
    Array.from({ length: depth }, () => varint(500 * 8 + wireType)).flat(),
  );

test('every field of the table has a known type, and fields stand in ascending order', () => {
  const scalars = 'int32 int64 float string bytes payload packed32 packed64 packedVarint'.split(
    ' ',
  );
  const known = new Set([...scalars, ...Object.keys(schema)]);
  for (const [message, fields] of Object.entries<Record<string, Field>>(schema)) {
    const all = Object.values(fields);
    expect([message, all.filter(({ type }) => !known.has(type))]).toEqual([message, []]);
    const numbers = all.map(({ number }) => number);
    expect([message, numbers]).toEqual([message, numbers.toSorted((a, b) => a - b)]);
  }
});

describe('varints', () => {
  test.each<[string, number[], unknown]>([
    ['0', [0], { irVersion: 0n }],
    ['127', [127], { irVersion: 127n }],
    ['128', [128, 1], { irVersion: 128n }],
    ['not shortest', [129, 128, 128, 0], { irVersion: 1n }],
    ['2^31', varint(2 ** 31), { irVersion: 2n ** 31n }],
    ['2^32', varint(2 ** 32), { irVersion: 2n ** 32n }],
    ['2^53', varint(2n ** 53n), { irVersion: 2n ** 53n }],
    ['2^63 − 1', varint(2n ** 63n - 1n), { irVersion: 2n ** 63n - 1n }],
    ['−2^63', varint(-(2n ** 63n)), { irVersion: -(2n ** 63n) }],
    ['−1 in ten bytes', [...ones(9), 1], { irVersion: -1n }],
    ['bits beyond the 64th', [...ones(9), 127], { irVersion: -1n }],
  ])('%s is read', (_, bytes, expected) => {
    expect(read('Model', [8, ...bytes])).toEqual(expected);
  });

  test.each<[string, number[], number]>([
    ['eleven bytes', [8, ...ones(10), 1], 1],
    ['ten bytes that go on', [8, ...ones(10)], 1],
    ['none', [8], 1],
    ['ends in the middle', [8, 128], 1],
    ['tag ends in the middle', [136], 0],
    ['tag of six bytes', [...ones(5), 1], 0],
    ['tag beyond 32 bits', [255, 255, 255, 255, 31], 0],
    ['field number 0', [0], 0],
    ['wire type 6', [14, 1], 0],
    ['wire type 7', [15, 1], 0],
  ])('%s is refused with its offset', (_, bytes, offset) => {
    expect(failure(() => read('Model', bytes))).toEqual(['file_malformed', offset]);
  });

  test('the high bits of an int32 are dropped, as protobuf says', () => {
    expect(read('Tensor', integer(2, 2n ** 32n + 7n))).toEqual({ dataType: 7 });
    expect(read('Tensor', integer(2, -1))).toEqual({ dataType: -1 });
  });
});

describe('lengths', () => {
  test.each<[string, number[], number]>([
    ['one byte too long', [18, 2, 65], 1],
    ['2^32 − 1', [18, ...varint(2 ** 32 - 1), 65], 1],
    ['2^32 + 1, one in its low bits', [18, ...varint(2 ** 32 + 1), 65], 1],
    ['2^63', [18, ...varint(2n ** 63n), 65], 1],
    ['2^64 − 1', [18, ...varint(-1), 65], 1],
    ['missing', [18], 1],
    ['message runs past its parent', [58, 3, 18, 5, 65, 66, 67, 68, 69], 3],
    ['text runs past its message', block(7, [18, 2, 65]), 3],
    ['varint runs past its message', [...block(8, [16, 128]), 1], 2],
    ['fixed value runs past its message', [...block(8, [29, 0, 0]), 0, 0, 0], 2],
    ['list ends inside a value', block(7, block(5, [...block(1, [1, 128]), 8, 1])), 4],
  ])('%s: refused with its offset', (_, bytes, offset) => {
    expect(failure(() => read('Model', bytes))).toEqual(['file_malformed', offset]);
  });

  test.each([1, 2, 3, 5, 8, 9, 13, 21, 34])(
    'a model cut after %i bytes is refused or shorter',
    (cut) => {
      const whole = [
        ...integer(1, 10),
        ...text(2, 'maker'),
        ...block(7, text(2, 'a graph of some length')),
      ];
      const outcome = failure(() => read('Model', whole.slice(0, cut)));
      // Between two fields of the model there is nothing to miss.
      const refused = ['file_malformed', expect.any(Number)];
      const expected = [2, 9].includes(cut) ? 'accepted' : refused;
      expect(outcome).toEqual(expected);
    },
  );
});

describe('unknown fields', () => {
  const strange = [
    integer(500, 12345678901234n),
    block(501, [1, 2, 3]),
    float(502, 1.5),
    [...varint(503 * 8 + 1), 1, 2, 3, 4, 5, 6, 7, 8],
    // A group with a field inside, and another one inside that.
    [...varint(504 * 8 + 3), 8, 1, 19, 20, ...varint(504 * 8 + 4)],
    // Known numbers with a wire type that does not fit.
    block(1, [7]),
    integer(7, 5),
  ];

  test('are kept byte by byte, in order, and written after the known ones', () => {
    const bytes = [...strange.slice(0, 4).flat(), ...integer(1, 9), ...strange.slice(4).flat()];
    const wire = read('Model', bytes);
    expect(wire).toEqual({ irVersion: 9n, unknown: strange.map((one) => Uint8Array.from(one)) });
    expect([...writeMessage('Model', wire)]).toEqual([...integer(1, 9), ...strange.flat()]);
  });

  test('are kept at every level', () => {
    const everywhere = strange.slice(0, 5).flat();
    const inner = [...text(1, 'x'), ...everywhere];
    const bytes = block(7, [...block(11, inner), ...everywhere]);
    expect([...writeMessage('Model', read('Model', bytes))]).toEqual(bytes);
  });

  test.each<[string, number[]]>([
    ['that never end', [59, 59, 59]],
    ['that end without a beginning', [60]],
    ['that end as another', [...varint(59), ...varint(68)]],
  ])('groups %s are refused', (_, bytes) => {
    expect(failure(() => read('Model', bytes))).toEqual(['file_malformed', expect.any(Number)]);
  });
});

test('unknown groups are nested at most 64 deep', () => {
  expect(failure(() => read('Model', groups(64)))).toBe('accepted');
  expect(failure(() => read('Model', groups(65)))).toEqual(['file_malformed', expect.any(Number)]);
});

describe('what is given twice', () => {
  test('the last scalar counts', () => {
    expect(read('Model', [...integer(1, 3), ...integer(1, 8)])).toEqual({ irVersion: 8n });
  });

  test('singular messages are merged', () => {
    const bytes = [
      ...block(7, [...text(2, 'first'), ...block(1, text(4, 'Relu'))]),
      ...block(7, [...text(2, 'second'), ...block(1, text(4, 'Abs'))]),
    ];
    const graph = { name: 'second', node: [{ opType: 'Relu' }, { opType: 'Abs' }] };
    expect(read('Model', bytes)).toEqual({ graph });
  });

  test('of alternatives the last one counts, merged with itself only', () => {
    const shape = block(1, block(2, block(1, integer(1, 4))));
    expect(read('Type', [...tensor(1), ...shape])).toEqual({
      tensorType: { elemType: 1, shape: { dim: [{ dimValue: 4n }] } },
    });
    expect(read('Type', [...tensor(1), ...block(4, []), ...text(6, 'KEPT')])).toEqual({
      sequenceType: {},
      denotation: 'KEPT',
    });
    expect(read('Dimension', [...integer(1, 4), ...text(2, 'n')])).toEqual({ dimParam: 'n' });
  });
});

describe('lists of numbers', () => {
  test('are read packed and unpacked alike, and written unpacked', () => {
    const bytes = [...integer(1, 2), ...block(1, [3, ...varint(300)]), ...integer(1, 5)];
    const wire = read('Tensor', bytes);
    expect(wire).toEqual({ dims: [2n, 3n, 300n, 5n] });
    expect([...writeMessage('Tensor', wire)]).toEqual([2, 3, 300, 5].flatMap((n) => integer(1, n)));
  });

  test('of tensor elements are joined from blocks and single elements, and written as one block', () => {
    const numbers = Float32Array.of(1, 2, 3, 4);
    const raw = [...new Uint8Array(numbers.buffer)];
    const bytes = [...block(4, raw.slice(0, 8)), ...float(4, 3), ...block(4, raw.slice(12))];
    const wire = read('Tensor', bytes);
    expect([...(wire.floatData?.read() ?? [])]).toEqual(raw);
    expect([...writeMessage('Tensor', wire)]).toEqual(block(4, raw));
  });
});

describe('limits', () => {
  test('text must be UTF-8', () => {
    expect(failure(() => read('Model', block(2, [65, 255])))).toEqual(['file_malformed', 2]);
  });

  test('text keeps a byte order mark', () => {
    const bytes = text(2, '\u{feff}x');
    expect([...writeMessage('Model', read('Model', bytes))]).toEqual(bytes);
  });

  test('messages are nested at most 64 deep', () => {
    expect(failure(() => read('Type', nested(32)))).toBe('accepted');
    expect(failure(() => read('Type', nested(33)))).toEqual(['file_malformed', expect.any(Number)]);
    expect(failure(() => read('Type', nested(2000)))).toEqual([
      'file_malformed',
      expect.any(Number),
    ]);
  });

  test('a file has at most ten million fields', () => {
    const many = new Uint8Array(10_000_002).fill(1);
    const list = [...varint(10_000_002)];
    const bytes = new Uint8Array(1 + list.length + many.length);
    bytes.set([10, ...list]);
    bytes.set(many, 1 + list.length);
    const source = {
      length: bytes.length,
      path: 'list',
      read: (offset: number, length: number) => bytes.subarray(offset, offset + length),
    };
    expect(failure(() => readMessage('Tensor', source))).toEqual(['file_malformed', 0]);
  });
});

test('values that lie across the window of a file are read whole', () => {
  const names = Array.from({ length: 40_000 }, (_, index) => `value number ${index}`);
  const bytes = names.flatMap((name) => text(1, name));
  expect(bytes.length).toBeGreaterThan(2 * 256 * 1024);
  expect(read('Node', bytes)).toEqual({ input: names });
  const long = 'x'.repeat(700_000);
  expect(read('Node', [...text(3, long), ...text(4, 'Relu')])).toEqual({
    name: long,
    opType: 'Relu',
  });
});

test('payloads are stepped over, not read', () => {
  const header = [...integer(1, 3), ...varint(9 * 8 + 2), ...varint(3_000_000_000)];
  const trailer = text(8, 'after');
  const length = header.length + 3_000_000_000 + trailer.length;
  let bytesRead = 0;
  const at = (offset: number): number =>
    header[offset] ?? trailer[offset - header.length - 3_000_000_000] ?? 0;
  const source = {
    length,
    path: 'large',
    read(offset: number, count: number) {
      bytesRead += count;
      return Uint8Array.from({ length: count }, (_, index) => at(offset + index));
    },
  };
  const { wire } = readMessage('Tensor', source);
  expect([wire.name, wire.rawData?.length]).toEqual(['after', 3_000_000_000]);
  expect(bytesRead).toBeLessThan(1_000_000);
});
