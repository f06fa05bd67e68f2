import { int } from '../onnx/attributes.ts';
import { GraphBuilder } from '../onnx/build.ts';
import type { Model } from '../onnx/model.ts';
import { float32, floatsOf, type Session } from '../inference/session.ts';
import { nextTurn } from '../numeric/linearAlgebra/multiply.ts';
import type { ScoreRule } from '../passes/exposeAttention.ts';
import type { AttentionParts, AttentionScores, Captured, LayerCapture } from './captured.ts';
import type { OpenPart } from './subject.ts';

/** Some rows of the patterns of some heads of a layer. */
export interface PatternRows {
  readonly heads: number;
  /** The first row, and how many there are. */
  readonly first: number;
  readonly rows: number;
  /** Columns: the keys up to the last of these rows; those behind are 0 (scores: −∞). */
  readonly keys: number;
  /** [heads, rows, keys]. */
  readonly data: Float32Array;
}

export type PatternKind = 'pattern' | 'scores';

interface PatternOptions {
  readonly what?: PatternKind;
  /** From the first of these heads up to the second, which is left out; all where not given. */
  readonly heads?: readonly [number, number];
  /** Rows likewise. */
  readonly rows?: readonly [number, number];
  readonly signal?: AbortSignal | undefined;
}

/** Patterns are not kept: they are computed from queries and keys when they are asked for. */
export interface Patterns {
  /** Shows a layer from its first row to its last, some rows at a time. */
  each(
    captured: Captured,
    layer: number,
    visit: (rows: PatternRows) => void,
    options?: PatternOptions,
  ): Promise<void>;
  /** One head, or the mean of a layer's: [tokens, tokens], a row for each token that looks. */
  square(
    captured: Captured,
    layer: number,
    head: number | 'mean',
    what?: PatternKind,
  ): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Rows computed at once: above, most of what is computed would lie behind the diagonal. */
const MOST_ROWS = 128;
/** Elements computed at once. */
const MOST_ELEMENTS = 2 ** 23;

export function openPatterns(open: OpenPart): Patterns {
  const sessions = new Map<string, ReturnType<OpenPart>>();

  const sessionOf = async (rule: ScoreRule): Promise<Session> => {
    const key = `${rule.scale} ${rule.softcap}`;
    let opened = sessions.get(key);
    if (opened === undefined) {
      opened = open(patternModel(rule));
      sessions.set(key, opened);
      // What could not be loaded is tried again by who asks next.
      opened.catch(() => sessions.delete(key));
    }
    return (await opened).session;
  };

  const patterns: Patterns = {
    async each(
      { ids, layers },
      layer,
      visit,
      { what = 'pattern', heads, rows: range, signal } = {},
    ) {
      const kept = layers[layer];
      const [from, to] = heads ?? [0, kept.heads];
      const tokens = ids.length;
      const [start, end] = range ?? [0, tokens];
      for (let first = start; first < end;) {
        await nextTurn(signal);
        const most = Math.floor(MOST_ELEMENTS / ((to - from) * tokens));
        const rows = Math.min(Math.max(1, Math.min(MOST_ROWS, most)), end - first);
        const block = { heads: to - from, first, rows, keys: first + rows };
        const { attention } = kept;
        const data =
          attention.kind === 'parts'
            ? await computed(await sessionOf(attention.rule), kept, attention, {
                ...block,
                from,
                to,
                tokens,
                what,
              })
            : sliced(attention, { ...block, from, tokens, what });
        visit({ ...block, data });
        first += rows;
      }
    },
    async square(captured, layer, head, what = 'pattern') {
      const tokens = captured.ids.length;
      const square = new Float32Array(tokens * tokens).fill(what === 'scores' ? -Infinity : 0);
      const heads = head === 'mean' ? undefined : ([head, head + 1] as const);
      await patterns.each(
        captured,
        layer,
        ({ heads: count, first, rows, keys, data }) => {
          for (let row = 0; row < rows; row++) {
            const target = square.subarray((first + row) * tokens, (first + row) * tokens + keys);
            target.set(data.subarray(row * keys, (row + 1) * keys));
            for (let one = 1; one < count; one++) {
              const start = (one * rows + row) * keys;
              for (let key = 0; key < keys; key++) target[key] += data[start + key];
            }
            if (count > 1) for (let key = 0; key < keys; key++) target[key] /= count;
          }
        },
        { what, ...(heads && { heads }) },
      );
      return square;
    },
    async close() {
      for (const opened of sessions.values()) await (await opened).close();
      sessions.clear();
    },
  };
  return patterns;
}

interface Block {
  readonly first: number;
  readonly rows: number;
  readonly keys: number;
  readonly tokens: number;
  /** The first head. */
  readonly from: number;
  readonly what: PatternKind;
}

/** Rows of patterns from queries and keys, by the runtime. */
async function computed(
  session: Session,
  { heads, keyValueHeads }: LayerCapture,
  { query, key, headDim, rule }: AttentionParts,
  { first, rows, keys, tokens, from, to, what }: Block & { to: number },
): Promise<Float32Array> {
  const count = to - from;
  const group = heads / keyValueHeads;
  const queries = new Float32Array(count * rows * headDim);
  for (let head = 0; head < count; head++) {
    for (let row = 0; row < rows; row++) {
      const start = ((first + row) * heads + from + head) * headDim;
      queries.set(query.subarray(start, start + headDim), (head * rows + row) * headDim);
    }
  }
  // Every query head with the keys of its group: one product for each key head that is asked for.
  const firstKey = Math.floor(from / group);
  const lastKey = Math.floor((to - 1) / group);
  const wholeGroups = from % group === 0 && to % group === 0;
  const keyHeads = wholeGroups ? lastKey - firstKey + 1 : count;
  const some = new Float32Array(keyHeads * keys * headDim);
  for (let at = 0; at < keyHeads; at++) {
    const keyHead = wholeGroups ? firstKey + at : Math.floor((from + at) / group);
    const start = keyHead * tokens * headDim;
    some.set(key.subarray(start, start + keys * headDim), at * keys * headDim);
  }
  const results = await session.run(
    {
      queries: float32(queries, [keyHeads, (count / keyHeads) * rows, headDim]),
      keys: float32(some, [keyHeads, keys, headDim]),
      mask: float32(maskOf(first, rows, keys, rule.window), [1, rows, keys]),
    },
    [what],
  );
  const data = floatsOf(results[what]);
  return what === 'scores' ? withoutMasked(data) : data;
}

/** Masked scores lie below, computed ones never. */
const LEAST_SCORE = -1e37;
const MASK = -3e38;

/** Masked scores as −∞, in place. */
function withoutMasked(scores: Float32Array): Float32Array {
  for (let at = 0; at < scores.length; at++) if (scores[at] < LEAST_SCORE) scores[at] = -Infinity;
  return scores;
}

function maskOf(first: number, rows: number, keys: number, window: number): Float32Array {
  const mask = new Float32Array(rows * keys);
  for (let row = 0; row < rows; row++) {
    const at = first + row;
    mask.fill(MASK, row * keys + at + 1, (row + 1) * keys);
    if (window > 0 && at >= window) mask.fill(MASK, row * keys, row * keys + at - window + 1);
  }
  return mask;
}

/** Rows of scores that were kept, or their softmax. */
function sliced(
  { scores, sinks }: AttentionScores,
  { first, rows, keys, tokens, from, what, heads }: Block & { heads: number },
): Float32Array {
  const data = new Float32Array(heads * rows * keys);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < rows; row++) {
      const start = ((from + head) * tokens + first + row) * tokens;
      const target = data.subarray((head * rows + row) * keys, (head * rows + row + 1) * keys);
      target.set(scores.subarray(start, start + keys));
      if (what === 'pattern') softmax(target, sinks?.[from + head]);
    }
  }
  return what === 'scores' ? withoutMasked(data) : data;
}

/** In place; a sink takes the share that its score has. */
function softmax(row: Float32Array, sink = -Infinity): void {
  const largest = row.reduce((a, b) => Math.max(a, b), sink);
  let sum = Math.exp(sink - largest);
  for (let at = 0; at < row.length; at++) {
    row[at] = Math.exp(row[at] - largest);
    sum += row[at];
  }
  for (let at = 0; at < row.length; at++) row[at] /= sum;
}

/**
 * `queries` [key heads, group · rows, size], `keys` [key heads, keys, size] and an additive `mask`
 * [1, rows, keys] to `scores` and `pattern` [heads, rows, keys].
 */
function patternModel({ scale, softcap }: ScoreRule): Model {
  const graph = new GraphBuilder({ name: 'patterns', opset: 21 });
  const queries = graph.input('queries', 'float32', ['groups', 'group_rows', 'size']);
  const keys = graph.input('keys', 'float32', ['groups', 'keys', 'size']);
  const mask = graph.input('mask', 'float32', [1, 'rows', 'keys']);
  const op = (opType: string, inputs: string[]): string => graph.node(opType, inputs)[0];
  const turned = graph.node('Transpose', [keys], {
    attributes: { perm: { kind: 'ints', value: [0n, 2n, 1n] } },
  })[0];
  const scaled = op('MatMul', [op('Mul', [queries, graph.f32Scalar(scale)]), turned]);
  const capped = (cap: string): string => op('Mul', [op('Tanh', [op('Div', [scaled, cap])]), cap]);
  const within = softcap === 0 ? scaled : capped(graph.f32Scalar(softcap));
  const [shape] = graph.node('Shape', [mask]);
  const [last] = graph.node('Slice', [shape, graph.i64([1]), graph.i64([3])]);
  const [whole] = graph.node('Concat', [graph.i64([-1]), last], { attributes: { axis: int(0) } });
  graph.node('Add', [op('Reshape', [within, whole]), mask], { outputs: ['scores'] });
  graph.node('Softmax', ['scores'], { outputs: ['pattern'], attributes: { axis: int(-1) } });
  for (const name of ['scores', 'pattern'])
    graph.output(name, 'float32', ['heads', 'rows', 'keys']);
  return graph.finish();
}
