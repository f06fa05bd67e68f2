import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../main/numeric/random.ts';
import { float, int, ints } from '../../main/onnx/attributes.ts';
import { GraphBuilder } from '../../main/onnx/build.ts';
import { checkModel } from '../../main/onnx/check.ts';
import type { AttributeValue, Model } from '../../main/onnx/model.ts';
import { encodeModel } from '../../main/onnx/save.ts';
import { tensorOf } from '../../main/onnx/tensor.ts';
import { exposeAttention } from '../../main/passes/exposeAttention.ts';
import { tapped } from '../../main/passes/tapped.ts';
import { referenceAttention, type AttentionCase } from './referenceAttention.ts';

const SIZE = 32;

/** Random numbers that are the same in every run. */
function numbers(count: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => 2 * random.next() - 1);
}

/** [tokens, heads · size] as [heads, tokens, size]. */
function byHead(values: Float32Array, heads: number, width = SIZE): Float32Array {
  const tokens = values.length / (heads * width);
  return Float32Array.from(values, (_, at) => {
    const [head, token, i] = [
      Math.floor(at / (tokens * width)),
      Math.floor(at / width) % tokens,
      at % width,
    ];
    return values[(token * heads + head) * width + i];
  });
}

/** Values of the cache and new ones behind them, by head. */
function joined(past: Float32Array, newest: Float32Array, heads: number): Float32Array {
  const [before, after] = [past.length / heads, newest.length / heads];
  const result = new Float32Array(past.length + newest.length);
  for (let head = 0; head < heads; head++) {
    const start = head * (before + after);
    result.set(past.subarray(head * before, (head + 1) * before), start);
    result.set(newest.subarray(head * after, (head + 1) * after), start + before);
  }
  return result;
}

interface Setup {
  readonly heads: number;
  readonly kvHeads: number;
  readonly rows: number;
  readonly past: number;
}

/** Inputs of one attention by token, and what they are by head with the cache before them. */
function inputsOf({ heads, kvHeads, rows, past }: Setup, seed: number) {
  const query = numbers(rows * heads * SIZE, seed);
  const key = numbers(rows * kvHeads * SIZE, seed + 1);
  const value = numbers(rows * kvHeads * SIZE, seed + 2);
  const pastKey = numbers(past * kvHeads * SIZE, seed + 3);
  const pastValue = numbers(past * kvHeads * SIZE, seed + 4);
  const tensors = {
    query: new ort.Tensor('float32', query, [1, rows, heads * SIZE]),
    key: new ort.Tensor('float32', key, [1, rows, kvHeads * SIZE]),
    value: new ort.Tensor('float32', value, [1, rows, kvHeads * SIZE]),
    past_key: new ort.Tensor('float32', pastKey, [1, kvHeads, past, SIZE]),
    past_value: new ort.Tensor('float32', pastValue, [1, kvHeads, past, SIZE]),
  };
  const plain: AttentionCase = {
    heads,
    kvHeads,
    size: SIZE,
    rows,
    keys: past + rows,
    query: byHead(query, heads),
    key: joined(pastKey, byHead(key, kvHeads), kvHeads),
    value: joined(pastValue, byHead(value, kvHeads), kvHeads),
    scale: 1 / Math.sqrt(SIZE),
    causal: true,
  };
  return { tensors, plain };
}

/** Runs the graph as it is and exposed; the second also with its first head switched off. */
async function run(model: Model, feeds: Record<string, ort.Tensor>, heads: number) {
  checkModel(model, 'model');
  const { model: exposed, sites } = exposeAttention(model);
  const [{ pattern, scores, keep, keepRank }] = sites;
  const cut = tapped(exposed, ['output', pattern, scores]);
  checkModel(cut, 'exposed');
  const before = await outputsOf(model, feeds);
  const switches = (first: number): Record<string, ort.Tensor> => {
    const data = new Float32Array(heads).fill(1);
    data[0] = first;
    const dims = [heads, ...Array.from({ length: keepRank - 1 }, () => 1)];
    return { [keep]: new ort.Tensor('float32', data, dims) };
  };
  const after = await outputsOf(cut, { ...feeds, ...switches(1) });
  const without = await outputsOf(cut, { ...feeds, ...switches(0) });
  return {
    site: sites[0],
    sites,
    plain: before['output'],
    output: after['output'],
    without: without['output'],
    pattern: after[pattern],
    scores: after[scores],
  };
}

async function outputsOf(model: Model, feeds: Record<string, ort.Tensor>) {
  const session = await ort.InferenceSession.create(encodeModel(model), { logSeverityLevel: 3 });
  try {
    const taken = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]]));
    const results = await session.run(taken);
    return Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]),
    );
  } finally {
    await session.release();
  }
}

function worst(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return NaN;
  return Array.from(found).reduce((most, value, at) => {
    const difference = Math.abs(value - wanted[at]);
    return difference <= most ? most : difference;
  }, 0);
}

/** What holds of every attention that is exposed: those guarantees that were broken. */
function broken(
  { plain, output, without, pattern, scores }: Awaited<ReturnType<typeof run>>,
  wanted: AttentionCase,
): string[] {
  const expected = referenceAttention(wanted);
  const { heads, keys, rows, sinks } = wanted;
  const each = Array.from({ length: heads * rows }, (_, at) => at);
  const rowOf = (values: Float32Array, at: number) => values.subarray(at * keys, (at + 1) * keys);
  const sums = each.map((at) => rowOf(pattern, at).reduce((a, b) => a + b, 0));
  const later = each.map((at) => rowOf(pattern, at).subarray(keys - rows + (at % rows) + 1));
  const shares = each.map((at) => {
    const own = rowOf(scores, at);
    const powers = own.map((score) => Math.exp(score - Math.max(...own)));
    const total = powers.reduce((a, b) => a + b, 0);
    return worst(
      powers.map((power) => (power / total) * sums[at]),
      rowOf(pattern, at),
    );
  });
  const isFirst = (at: number): boolean => at % (heads * SIZE) < SIZE;
  const rest = (values: Float32Array) => values.filter((_, at) => !isFirst(at));
  const guarantees = {
    'the operator agrees with the reference': worst(plain, expected.output) < 1e-4,
    'what the graph gives stays as it is': worst(output, plain) === 0,
    'the pattern is that of the reference': worst(pattern, expected.pattern) < 1e-4,
    'rows sum to 1, less the share of sinks': sums.every(
      (sum) => Math.abs(sum - 1) < 1e-5 === (sinks === undefined),
    ),
    'nobody looks at later tokens':
      later.every((row) => row.every((p) => p === 0)) === (wanted.causal === true),
    'the softmax of the scores is the pattern': Math.max(...shares) < 1e-5,
    'a head switched off gives zeros': without.every((value, at) => !isFirst(at) || value === 0),
    'the other heads stay as they are': worst(rest(without), rest(output)) === 0,
  };
  return Object.entries(guarantees).flatMap(([name, holds]) => (holds ? [] : [name]));
}

const setups: Setup[] = [
  { heads: 4, kvHeads: 4, rows: 7, past: 0 },
  { heads: 4, kvHeads: 2, rows: 5, past: 6 },
  { heads: 6, kvHeads: 1, rows: 1, past: 9 },
];

/** An angle of rotary embedding. */
const angle = (position: number, pair: number): number => position * 0.7 ** pair;

/** A graph of one GroupQueryAttention, finished with its last inputs. */
function grouped(setup: Setup, attributes: Record<string, AttributeValue>, more: string[] = []) {
  const { heads, kvHeads, rows, past } = setup;
  const graph = new GraphBuilder({ name: 'test', opset: 13, msOpset: true });
  graph.input('query', 'float32', [1, 'rows', heads * SIZE]);
  graph.input('key', 'float32', [1, 'rows', kvHeads * SIZE]);
  graph.input('value', 'float32', [1, 'rows', kvHeads * SIZE]);
  graph.input('past_key', 'float32', [1, kvHeads, 'past', SIZE]);
  graph.input('past_value', 'float32', [1, kvHeads, 'past', SIZE]);
  const last = graph.initializer(tensorOf('last', [1], Int32Array.of(past + rows - 1)));
  const total = graph.initializer(tensorOf('total', [1], Int32Array.of(past + rows)));
  return {
    graph,
    finish: (extra: readonly string[] = more): Model => {
      const inputs = ['query', 'key', 'value', 'past_key', 'past_value', last, total, ...extra];
      const [mixed] = graph.node('GroupQueryAttention', inputs, {
        outputs: ['mixed', 'present_key', 'present_value'],
        attributes: { num_heads: int(heads), kv_num_heads: int(kvHeads), ...attributes },
        domain: 'com.microsoft',
      });
      graph.node('Identity', [mixed], { outputs: ['output'] });
      graph.output('output', 'float32', [1, 'rows', heads * SIZE]);
      return graph.finish();
    },
  };
}

describe('GroupQueryAttention', () => {
  const options: Record<
    string,
    { attributes: Record<string, AttributeValue>; wanted: Partial<AttentionCase> }
  > = {
    plain: { attributes: {}, wanted: {} },
    'of another scale': { attributes: { scale: float(0.5) }, wanted: { scale: 0.5 } },
    'with a soft cap': { attributes: { softcap: float(0.75) }, wanted: { softcap: 0.75 } },
    'of a local window': { attributes: { local_window_size: int(3) }, wanted: { window: 3 } },
    'with a smooth softmax': {
      attributes: { smooth_softmax: int(1) },
      wanted: { sinks: [0, 0, 0, 0, 0, 0] },
    },
  };

  describe.each(Object.entries(options))('%s', (_, { attributes, wanted }) => {
    test.each(setups)('shows what it computes: %o', async (setup) => {
      const { tensors, plain } = inputsOf(setup, 3);
      const model = grouped(setup, attributes).finish();
      const found = await run(model, tensors, setup.heads);
      expect(broken(found, { ...plain, ...wanted })).toEqual([]);
      expect(found.site.parts === null).toBe(wanted.sinks !== undefined);
    });
  });

  test.each(setups)('with a bias of each score, as of ALiBi, shows it: %o', async (setup) => {
    const { tensors, plain } = inputsOf(setup, 5);
    const keys = setup.past + setup.rows;
    const bias = (head: number, row: number, key: number): number =>
      -(2 ** -(head + 1)) * (setup.past + row - key);
    const values = Float32Array.from({ length: setup.heads * setup.rows * keys }, (__, at) =>
      bias(Math.floor(at / (setup.rows * keys)), Math.floor(at / keys) % setup.rows, at % keys),
    );
    const { graph, finish } = grouped(setup, {});
    const dims = [1, setup.heads, setup.rows, keys];
    const name = graph.initializer(tensorOf('alibi', dims, values));
    const found = await run(finish(['', '', '', name]), tensors, setup.heads);
    expect(broken(found, { ...plain, bias })).toEqual([]);
    expect(found.site.parts).toBe(null);
  });

  test('with a sink for each head, leaves their share out', async () => {
    const setup = setups[1];
    const { tensors, plain } = inputsOf(setup, 7);
    const sinks = numbers(setup.heads, 11);
    const { graph, finish } = grouped(setup, {});
    const name = graph.initializer(tensorOf('sinks', [setup.heads], sinks));
    const found = await run(finish(['', '', '', '', name]), tensors, setup.heads);
    expect(broken(found, { ...plain, sinks })).toEqual([]);
    expect(found.site.sinks).toEqual(sinks);
  });

  describe.each([0, 1])('with rotary embedding inside, interleaved: %i', (interleaved) => {
    test.each([SIZE, SIZE / 2])(
      'turns %i elements of each head by their places',
      async (turned) => {
        const setup = setups[1];
        const { heads, kvHeads, rows, past } = setup;
        const { tensors, plain } = inputsOf(setup, 13);
        const pairs = turned / 2;
        const table = (what: (angle: number) => number): Float32Array =>
          Float32Array.from({ length: 32 * pairs }, (__, at) =>
            what(angle(Math.floor(at / pairs), at % pairs)),
          );
        const { graph, finish } = grouped(setup, {
          do_rotary: int(1),
          rotary_interleaved: int(interleaved),
        });
        const cos = graph.initializer(tensorOf('cos', [32, pairs], table(Math.cos)));
        const sin = graph.initializer(tensorOf('sin', [32, pairs], table(Math.sin)));
        const turn = (values: ArrayLike<number>, count: number, from: number): Float32Array => {
          const result = Float32Array.from(values);
          const tokens = values.length / (count * SIZE);
          for (let at = 0; at < count * tokens; at++) {
            const token = at % tokens;
            if (token < from) continue;
            for (let pair = 0; pair < pairs; pair++) {
              const position = past + token - from;
              const [c, s] = [Math.cos(angle(position, pair)), Math.sin(angle(position, pair))];
              const [i, j] = interleaved === 1 ? [2 * pair, 2 * pair + 1] : [pair, pair + pairs];
              const [x, y] = [values[at * SIZE + i], values[at * SIZE + j]];
              result[at * SIZE + i] = x * c - y * s;
              result[at * SIZE + j] = y * c + x * s;
            }
          }
          return result;
        };
        const found = await run(finish([cos, sin]), tensors, heads);
        expect(
          broken(found, {
            ...plain,
            query: turn(plain.query, heads, 0),
            key: turn(plain.key, kvHeads, past),
          }),
        ).toEqual([]);
        expect(rows).toBeGreaterThan(1);
      },
    );
  });
});

describe('MultiHeadAttention', () => {
  const { heads } = setups[0];
  const width = heads * SIZE;

  function multiHead(past: number, rows: number, unidirectional: number, kinds: string[]): Model {
    const graph = new GraphBuilder({ name: 'test', opset: 13, msOpset: true });
    for (const name of ['query', 'key', 'value']) graph.input(name, 'float32', [1, 'rows', width]);
    for (const name of ['past_key', 'past_value']) {
      graph.input(name, 'float32', [1, heads, 'past', SIZE]);
    }
    const keys = past + rows;
    const bias = kinds.includes('bias')
      ? graph.initializer(tensorOf('bias', [3 * width], numbers(3 * width, 23)))
      : '';
    const padding = kinds.includes('padding')
      ? graph.initializer(
          tensorOf(
            'padding',
            [1, keys],
            Int32Array.from({ length: keys }, (_, at) => (at === 1 ? 0 : 1)),
          ),
        )
      : '';
    const scores = kinds.includes('scores')
      ? graph.initializer(
          tensorOf('scores', [1, heads, rows, keys], numbers(heads * rows * keys, 29)),
        )
      : '';
    const cached = past > 0 ? ['past_key', 'past_value'] : [];
    const [mixed] = graph.node(
      'MultiHeadAttention',
      ['query', 'key', 'value', bias, padding, scores, ...cached],
      {
        outputs: ['mixed', ...(past > 0 ? ['present_key', 'present_value'] : [])],
        attributes: { num_heads: int(heads), unidirectional: int(unidirectional) },
        domain: 'com.microsoft',
      },
    );
    graph.node('Identity', [mixed], { outputs: ['output'] });
    graph.output('output', 'float32', [1, 'rows', width]);
    return graph.finish();
  }

  test.each([
    [0, 7, 1, []],
    [0, 7, 0, []],
    [0, 6, 1, ['scores']],
    [0, 6, 1, ['bias']],
    [0, 6, 0, ['padding']],
    [5, 3, 1, []],
    [5, 3, 1, ['scores', 'bias']],
  ] as [number, number, number, string[]][])(
    'of %i tokens before and %i new, causal %i, with %o, shows what it computes',
    async (past, rows, unidirectional, kinds) => {
      const setup = { heads, kvHeads: heads, rows, past };
      const { tensors, plain } = inputsOf(setup, 17);
      const keys = past + rows;
      const biases = numbers(3 * width, 23);
      const shifted = (part: number, seed: number): Float32Array => {
        const values = numbers(rows * width, seed);
        if (!kinds.includes('bias')) return byHead(values, heads);
        return byHead(
          values.map((value, at) => value + biases[part * width + (at % width)]),
          heads,
        );
      };
      const before = (seed: number): Float32Array => numbers(past * width, seed);
      const added = numbers(heads * rows * keys, 29);
      const found = await run(multiHead(past, rows, unidirectional, kinds), tensors, heads);
      expect(
        broken(found, {
          ...plain,
          query: shifted(0, 17),
          key: joined(before(20), shifted(1, 18), heads),
          value: joined(before(21), shifted(2, 19), heads),
          causal: unidirectional === 1,
          bias: (head, row, key) =>
            (kinds.includes('scores') ? added[(head * rows + row) * keys + key] : 0) +
            (kinds.includes('padding') && key === 1 ? -10_000 : 0),
        }),
      ).toEqual([]);
    },
  );
});

describe('Attention of onnxruntime', () => {
  const heads = 3;
  const width = heads * SIZE;

  test.each([
    [0, 6, 1],
    [0, 6, 0],
    [4, 3, 1],
  ])(
    'of %i tokens before and %i new, causal %i, shows what it computes',
    async (past, rows, unidirectional) => {
      const inner = 20;
      const input = numbers(rows * inner, 31);
      const weights = numbers(inner * 3 * width, 32);
      const bias = numbers(3 * width, 33);
      const cache = numbers(2 * past * width, 34);
      const graph = new GraphBuilder({ name: 'test', opset: 13, msOpset: true });
      graph.input('input', 'float32', [1, 'rows', inner]);
      graph.input('past', 'float32', [2, 1, heads, 'past', SIZE]);
      graph.initializer(tensorOf('weights', [inner, 3 * width], weights));
      graph.initializer(tensorOf('bias', [3 * width], bias));
      const [mixed] = graph.node(
        'Attention',
        ['input', 'weights', 'bias', '', ...(past > 0 ? ['past'] : [])],
        {
          outputs: ['mixed', ...(past > 0 ? ['present'] : [])],
          attributes: { num_heads: int(heads), unidirectional: int(unidirectional) },
          domain: 'com.microsoft',
        },
      );
      graph.node('Identity', [mixed], { outputs: ['output'] });
      graph.output('output', 'float32', [1, 'rows', width]);
      const projected = (part: number): Float32Array =>
        byHead(
          Float32Array.from({ length: rows * width }, (_, at) => {
            const column = part * width + (at % width);
            const row = Math.floor(at / width);
            let sum = bias[column];
            for (let i = 0; i < inner; i++)
              sum += input[row * inner + i] * weights[i * 3 * width + column];
            return sum;
          }),
          heads,
        );
      const feeds = {
        input: new ort.Tensor('float32', input, [1, rows, inner]),
        past: new ort.Tensor('float32', cache, [2, 1, heads, past, SIZE]),
      };
      expect(
        broken(await run(graph.finish(), feeds, heads), {
          heads,
          kvHeads: heads,
          size: SIZE,
          rows,
          keys: past + rows,
          query: projected(0),
          key: joined(cache.subarray(0, past * width), projected(1), heads),
          value: joined(cache.subarray(past * width), projected(2), heads),
          scale: 1 / Math.sqrt(SIZE),
          causal: unidirectional === 1,
        }),
      ).toEqual([]);
    },
  );
});

describe('Attention of ONNX', () => {
  const kinds = [
    'plain',
    'mask of numbers',
    'mask of truth values',
    'soft cap',
    'soft cap and mask of numbers',
    'by head',
  ] as const;

  describe.each(kinds)('%s', (kind) => {
    test.each(setups)('shows what it computes: %o', async (setup) => {
      const { heads, kvHeads, rows, past } = setup;
      const keys = past + rows;
      const { tensors, plain } = inputsOf(setup, 41);
      const graph = new GraphBuilder({ name: 'test', opset: 23 });
      graph.input('query', 'float32', [1, 'rows', heads * SIZE]);
      graph.input('key', 'float32', [1, 'rows', kvHeads * SIZE]);
      graph.input('value', 'float32', [1, 'rows', kvHeads * SIZE]);
      graph.input('past_key', 'float32', [1, kvHeads, 'past', SIZE]);
      graph.input('past_value', 'float32', [1, kvHeads, 'past', SIZE]);
      const apart = (name: string, count: number): string => {
        if (kind !== 'by head') return name;
        const shape = graph.i64([0, 0, count, SIZE]);
        const [four] = graph.node('Reshape', [name, shape]);
        return graph.node('Transpose', [four], { attributes: { perm: ints([0, 2, 1, 3]) } })[0];
      };
      const added = numbers(rows * keys, 43);
      let mask = '';
      if (kind.endsWith('mask of numbers'))
        mask = graph.initializer(tensorOf('mask', [rows, keys], added));
      if (kind === 'mask of truth values') {
        const numbersMask = graph.initializer(tensorOf('mask', [rows, keys], added));
        const [there] = graph.node('Greater', [numbersMask, graph.f32Scalar(-0.5)]);
        const eye = graph.initializer(
          tensorOf(
            'eye',
            [rows, keys],
            Float32Array.from({ length: rows * keys }, (_, at) =>
              at % keys === Math.floor(at / keys) + past ? 1 : 0,
            ),
          ),
        );
        const [self] = graph.node('Greater', [eye, graph.f32Scalar(0.5)]);
        [mask] = graph.node('Or', [there, self]);
      }
      const cap = kind.startsWith('soft cap') ? { softcap: float(0.5) } : {};
      const sizes =
        kind === 'by head' ? {} : { q_num_heads: int(heads), kv_num_heads: int(kvHeads) };
      const [mixed] = graph.node(
        'Attention',
        [
          apart('query', heads),
          apart('key', kvHeads),
          apart('value', kvHeads),
          mask,
          'past_key',
          'past_value',
        ],
        {
          outputs: ['mixed', 'present_key', 'present_value'],
          attributes: { is_causal: int(1), ...cap, ...sizes },
        },
      );
      const back = (): string => {
        const [turned] = graph.node('Transpose', [mixed], {
          attributes: { perm: ints([0, 2, 1, 3]) },
        });
        return graph.node('Reshape', [turned, graph.i64([0, 0, heads * SIZE])])[0];
      };
      graph.node('Identity', [kind === 'by head' ? back() : mixed], { outputs: ['output'] });
      graph.output('output', 'float32', [1, 'rows', heads * SIZE]);
      const bias = (_: number, row: number, key: number): number => {
        const number = added[row * keys + key];
        if (kind.endsWith('mask of numbers')) return number;
        return kind === 'mask of truth values' && number <= -0.5 && key !== row + past
          ? -Infinity
          : 0;
      };
      expect(
        broken(await run(graph.finish(), tensors, heads), {
          ...plain,
          bias,
          ...(kind.startsWith('soft cap') ? { softcap: 0.5 } : {}),
        }),
      ).toEqual([]);
    });
  });
});

test('an older graph is refused at the node, with its opset', () => {
  const graph = new GraphBuilder({ name: 'test', opset: 12, msOpset: true });
  for (const name of ['query', 'key', 'value']) graph.input(name, 'float32', [1, 'rows', SIZE]);
  graph.node('MultiHeadAttention', ['query', 'key', 'value'], {
    outputs: ['output'],
    attributes: { num_heads: int(1) },
    domain: 'com.microsoft',
  });
  graph.output('output', 'float32', [1, 'rows', SIZE]);
  expect(() => exposeAttention(graph.finish())).toThrow(
    /opset below 13 \(12\): MultiHeadAttention/,
  );
});

/** Attention of ONNX without a cache, of one head: the pattern over `keys` keys for `rows` rows, in the type given. */
async function patternOf(
  rows: number,
  keys: number,
  mask: readonly number[] | null,
  type: 'float32' | 'float16',
) {
  const graph = new GraphBuilder({ name: 'test', opset: 23 });
  const cast = (value: string, code: number): string =>
    graph.node('Cast', [value], { attributes: { to: int(code) } })[0];
  const inputs = ['query', 'key', 'value'].map((name) => {
    graph.input(name, 'float32', [1, 1, name === 'query' ? rows : keys, SIZE]);
    return type === 'float16' ? cast(name, 10) : name;
  });
  if (mask !== null) {
    const values = graph.initializer(tensorOf('mask', [rows, keys], Float32Array.from(mask)));
    inputs.push(cast(values, 9));
  }
  const [mixed] = graph.node('Attention', inputs, { attributes: { is_causal: int(1) } });
  graph.node('Cast', [mixed], { outputs: ['output'], attributes: { to: int(1) } });
  graph.output('output', 'float32', [1, 1, rows, SIZE]);
  const [query, key, value] = [rows, keys, keys].map((count, at) => numbers(count * SIZE, 51 + at));
  const feeds = {
    query: new ort.Tensor('float32', query, [1, 1, rows, SIZE]),
    key: new ort.Tensor('float32', key, [1, 1, keys, SIZE]),
    value: new ort.Tensor('float32', value, [1, 1, keys, SIZE]),
  };
  const { pattern, output, plain } = await run(graph.finish(), feeds, 1);
  const isOff = (row: number, at: number): boolean => at > row || mask?.[row * keys + at] === 0;
  const bias = (_: number, row: number, at: number): number => (isOff(row, at) ? -Infinity : 0);
  const sizes = { heads: 1, kvHeads: 1, size: SIZE, rows, keys };
  const wanted = referenceAttention({
    ...sizes,
    query,
    key,
    value,
    scale: 1 / Math.sqrt(SIZE),
    bias,
  });
  expect(worst(output, plain)).toBe(0);
  return { pattern, wanted: wanted.pattern };
}

describe('Attention of ONNX without a cache', () => {
  test('counts places from the first key, however many there are', async () => {
    const { pattern, wanted } = await patternOf(3, 5, null, 'float32');
    expect(worst(pattern, wanted)).toBeLessThan(1e-4);
    expect([...pattern.subarray(0, 5)]).toEqual([1, 0, 0, 0, 0]);
  });

  test('shows zeros where a row may look nowhere', async () => {
    const { pattern, wanted } = await patternOf(2, 2, [0, 1, 1, 1], 'float32');
    expect([...pattern.subarray(0, 2)]).toEqual([0, 0]);
    expect(worst(pattern.subarray(2), wanted.subarray(2))).toBeLessThan(1e-4);
  });

  test('shows float32 of what is computed in float16', async () => {
    const { pattern, wanted } = await patternOf(4, 4, null, 'float16');
    // Queries and keys have three digits.
    expect(worst(pattern, wanted)).toBeLessThan(2e-3);
  });
});
