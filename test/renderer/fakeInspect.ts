import { implement } from '@orpc/server';
import {
  contract,
  LatheError,
  type Capture,
  type Head,
  type HeadStatistics,
  type Lens,
  type ModelRecord,
  type Prediction,
  type Prompt,
  type Token,
} from '../../preload/contract/index.ts';

/** A pseudo-random number in [0, 1) for an index: the same every time. */
const noise = (index: number): number => {
  const value = Math.sin(index * 12.9898 + 19.233) * 43758.5453;
  return value - Math.floor(value);
};

/** What heads do, one kind after the other. */
const kinds = [
  'previous',
  'sink',
  'local',
  'induction',
  'uniform',
  'self',
  'duplicate',
  'far',
] as const;
type Kind = (typeof kinds)[number];

const kindOf = ({ layer, head }: Head): Kind => {
  // As in real models, heads that copy stand behind those that look one back.
  const kind = kinds[(head + layer * 3) % kinds.length] ?? 'uniform';
  return kind === 'induction' && layer === 0 ? 'previous' : kind;
};

/** How much a token at `row` is drawn to the one at `column`. */
function pull(kind: Kind, tokens: readonly Token[], row: number, column: number): number {
  const back = row - column;
  switch (kind) {
    case 'previous':
      return back === 1 ? 5 : 0;
    case 'sink':
      return column === 0 ? 5 : 0;
    case 'local':
      return 3 - back;
    case 'induction':
      return column > 0 && tokens[column - 1]?.text === tokens[row]?.text && back > 0 ? 6 : 0;
    case 'uniform':
      return 0;
    case 'self':
      return back === 0 ? 4 : 0;
    case 'duplicate':
      return back > 0 && tokens[column]?.text === tokens[row]?.text ? 6 : 0;
    case 'far':
      return back / 8;
  }
}

/** Scores of one head: −∞ where it may not look. */
function scoresOf(tokens: readonly Token[], place: Head): Float32Array<ArrayBuffer> {
  const count = tokens.length;
  const kind = kindOf(place);
  const scores = new Float32Array(count * count).fill(-Infinity);
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      const shake = noise(row * 31 + column * 7 + place.layer * 101 + place.head * 13);
      scores[row * count + column] = pull(kind, tokens, row, column) + shake;
    }
  }
  return scores;
}

function softmax(scores: Float32Array, count: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(scores.length);
  for (let row = 0; row < count; row += 1) {
    const part = scores.subarray(row * count, row * count + row + 1);
    const most = Math.max(...part);
    const weights = part.map((score) => Math.exp(score - most));
    const sum = weights.reduce((before, weight) => before + weight, 0);
    result.set(
      weights.map((weight) => weight / sum),
      row * count,
    );
  }
  return result;
}

function mean(all: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const result = new Float32Array(all[0]?.length ?? 0);
  for (const each of all)
    for (const [at, value] of each.entries()) result[at] += value / all.length;
  return result;
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const average = (values: readonly number[]): number => total(values) / Math.max(1, values.length);

/** What the contract says of a head's pattern, computed from it. */
function statisticsOf(
  tokens: readonly Token[],
  place: Head,
  pattern: Float32Array,
): HeadStatistics {
  const count = tokens.length;
  const at = (row: number, column: number): number => pattern[row * count + column] ?? 0;
  const rows = tokens.map((_, row) => row);
  const columns = (row: number): number[] => rows.slice(0, row + 1);
  const repeats = rows.filter((row) =>
    rows.some((before) => before < row && tokens[before]?.text === tokens[row]?.text),
  );
  const same = (row: number): number[] =>
    columns(row).filter((column) => column < row && tokens[column]?.text === tokens[row]?.text);
  return {
    ...place,
    entropy: average(
      rows.map((row) =>
        total(columns(row).map((column) => -at(row, column) * Math.log2(at(row, column) || 1))),
      ),
    ),
    distance: average(
      rows.map((row) => total(columns(row).map((column) => at(row, column) * (row - column)))),
    ),
    previous: average(rows.slice(1).map((row) => at(row, row - 1))),
    self: average(rows.map((row) => at(row, row))),
    sink: average(rows.slice(1).map((row) => at(row, 0))),
    induction:
      repeats.length === 0
        ? null
        : average(repeats.map((row) => total(same(row).map((column) => at(row, column + 1))))),
    duplicate:
      repeats.length === 0
        ? null
        : average(repeats.map((row) => total(same(row).map((column) => at(row, column))))),
    positional: ['previous', 'local', 'self', 'far'].includes(kindOf(place)) ? 0.86 : 0.31,
  };
}

const others = [' the', ' a', ' little', ' and', ' it', ' was', '.', ' big', ' her', ' in'];

const headsOf = ({ heads }: Capture): Head[] =>
  heads.flatMap((count, layer) => Array.from({ length: count }, (_, head) => ({ layer, head })));

export interface FakeInspectOptions {
  /** Milliseconds that each step of a capture takes. */
  stepMs: number;
  find: (name: string) => ModelRecord;
  tokens: (prompt: Prompt) => readonly Token[];
  /** What the models are like inside. */
  shape?: { readonly layers: number; readonly heads: number };
}

interface Held {
  readonly capture: Capture;
  readonly patterns: Map<string, Float32Array<ArrayBuffer>>;
}

/** Captures without a model: heads that do what heads are known for. */
export function fakeInspect(options: FakeInspectOptions) {
  const { stepMs, find, shape = { layers: 5, heads: 8 } } = options;
  const os = implement(contract);
  const checked = os.use(
    os.$context<object>().middleware(async ({ next, errors }) => {
      try {
        return await next();
      } catch (error) {
        if (error instanceof LatheError)
          throw errors[error.code]({ message: error.message, data: error.data });
        throw error;
      }
    }),
  );
  const { inspect } = checked;
  const held = new Map<string, Held>();
  let made = 0;

  const holding = (id: string): Held => {
    const found = held.get(id);
    if (found) return found;
    throw new LatheError('not_found', `there is no such capture: ${id}`, { value: id });
  };
  const patternOf = ({ capture, patterns }: Held, place: Head): Float32Array<ArrayBuffer> => {
    const key = `${place.layer}.${place.head}`;
    const known = patterns.get(key);
    if (known) return known;
    const { tokens } = capture;
    const pattern = softmax(scoresOf(tokens, place), tokens.length);
    patterns.set(key, pattern);
    return pattern;
  };
  const layerMean = (of: Held, layer: number): Float32Array<ArrayBuffer> =>
    mean(
      headsOf(of.capture)
        .filter((place) => place.layer === layer)
        .map((place) => patternOf(of, place)),
    );
  /** How sure the model is of the token behind `position`; less with heads that matter gone. */
  const certainty = ({ capture }: Held, position: number): number => {
    const lost = capture.ablated.filter(({ layer, head }) =>
      ['previous', 'induction'].includes(kindOf({ layer, head })),
    ).length;
    return Math.max(0.002, noise(position + 3) ** 1.6 * 0.96 * 0.7 ** lost);
  };
  const alternativesAt = (of: Held, position: number, top: number) => {
    const p = certainty(of, position);
    const next = of.capture.tokens[position + 1] ?? { id: 7, text: ' day' };
    const all = [
      { id: next.id, text: next.text, logprob: Math.log(p) },
      ...others
        .filter((text) => text !== next.text)
        .map((text, at) => ({
          id: 2000 + at,
          text,
          logprob: Math.log(Math.max(1e-6, (1 - p) * 0.55 * 0.6 ** ((at + position) % 10))),
        })),
    ];
    return all.toSorted((a, b) => b.logprob - a.logprob).slice(0, top);
  };

  const router = {
    capture: inspect.capture.handler(async function* ({ input, signal }) {
      const record = find(input.model);
      const tokens = [...options.tokens(input.prompt)];
      if (tokens.length === 0)
        throw new LatheError('usage', 'there is nothing to capture in an empty prompt');
      if (tokens.length > record.contextLength) {
        const message = `the prompt is longer than the context of ${record.contextLength} tokens: ${tokens.length}`;
        throw new LatheError('context_overflow', message, { next: ['shorten-prompt'] });
      }
      if (record.name === 'no-attention') {
        const message = 'no attention is recognised in the graph; it has: Gather, MatMul';
        throw new LatheError('graph_invalid', message, { next: ['choose-model'] });
      }
      for (const [at, stage] of ['Building the graph', 'Running the prompt'].entries()) {
        yield { kind: 'progress', stage, fraction: (at + 1) / 3 };
        await new Promise((resolve) => setTimeout(resolve, stepMs));
        signal?.throwIfAborted();
      }
      made += 1;
      const { layers } = shape;
      const capture: Capture = {
        id: `capture-${made}`,
        model: record.name,
        tokens,
        layers,
        heads: Array.from({ length: layers }, () => shape.heads),
        keyValueHeads: Array.from({ length: layers }, () => Math.ceil(shape.heads / 2)),
        hiddenSize: 128,
        vocabularySize: record.vocabularySize,
        ablated: input.ablate,
        hookPoints: Array.from({ length: layers }, (_, layer) => `blocks.${layer}.attn.pattern`),
        bytes: layers * shape.heads * tokens.length ** 2 * 4,
        ms: { captured: 42.5, plain: 18.1 },
      };
      held.set(capture.id, { capture, patterns: new Map() });
      yield { kind: 'done', capture };
    }),
    sheet: inspect.sheet.handler(({ input }) => {
      const of = holding(input.capture);
      const count = of.capture.tokens.length;
      const size = Math.min(input.size, count);
      const places = headsOf(of.capture);
      const data = new Float32Array(places.length * size * size);
      for (const [at, place] of places.entries()) {
        const pattern = patternOf(of, place);
        for (const [cell, value] of pattern.entries()) {
          const row = Math.floor((Math.floor(cell / count) * size) / count);
          const column = Math.floor(((cell % count) * size) / count);
          const to = at * size * size + row * size + column;
          data[to] = Math.max(data[to] ?? 0, value);
        }
      }
      return { size, data };
    }),
    pattern: inspect.pattern.handler(({ input }) => {
      const of = holding(input.capture);
      const { tokens } = of.capture;
      const { layer, head } = input;
      if (head === 'mean') return { tokens: tokens.length, data: layerMean(of, layer) };
      const data =
        input.what === 'scores'
          ? scoresOf(tokens, { layer, head })
          : patternOf(of, { layer, head });
      return { tokens: tokens.length, data };
    }),
    through: inspect.through.handler(({ input }) => {
      const of = holding(input.capture);
      const count = of.capture.tokens.length;
      const means = of.capture.heads.map((_, layer) => layerMean(of, layer));
      const data = mean(means);
      for (let row = 0; row < count; row += 1) {
        for (let column = 0; column <= row; column += 1) {
          const at = row * count + column;
          const own = input.method === 'rollout' && row === column ? 0.5 : 0;
          data[at] = (data[at] ?? 0) * (input.method === 'rollout' ? 0.5 : 1) + own;
        }
      }
      return { tokens: count, data };
    }),
    heads: inspect.heads.handler(({ input }) => {
      const of = holding(input.capture);
      return headsOf(of.capture).map((place) =>
        statisticsOf(of.capture.tokens, place, patternOf(of, place)),
      );
    }),
    lens: inspect.lens.handler(({ input }) => {
      const of = holding(input.capture);
      const { tokens, layers } = of.capture;
      return fakeLens(layers + 1, tokens.length, input.top, (position) =>
        alternativesAt(of, position, input.top),
      );
    }),
    predictions: inspect.predictions.handler(({ input }) => {
      const of = holding(input.capture);
      const { tokens } = of.capture;
      const against = input.against === undefined ? null : holding(input.against);
      return tokens.map((_, position): Prediction => {
        const isLast = position === tokens.length - 1;
        const alternatives = alternativesAt(of, position, input.top);
        const p = certainty(of, position);
        const before = against ? certainty(against, position) : p;
        return {
          logprob: isLast ? null : Math.log(p),
          entropy: (1 - p) * 6,
          alternatives,
          ...(against && {
            kl: before * Math.log(before / p) + (1 - before) * Math.log((1 - before) / (1 - p)),
          }),
        };
      });
    }),
    direct: inspect.direct.handler(({ input }) => {
      const of = holding(input.capture);
      const { heads } = of.capture;
      const candidates = alternativesAt(of, input.position, 10);
      const token = candidates.find(({ id }) => id === input.token) ?? candidates[0];
      const layers = heads.map((count, layer) => ({
        heads: Array.from(
          { length: count },
          (_, head) => (noise(layer * 17 + head * 3 + input.position + token.id) - 0.42) * 0.8,
        ),
        mlp: (noise(layer * 29 + input.position + token.id) - 0.3) * 3,
      }));
      const sum = layers.reduce((before, layer) => before + layer.mlp + total(layer.heads), 0);
      return { token, logit: sum + 0.6, embedding: 0.6, layers, rest: 0 };
    }),
  };
  return {
    router,
    /** Lets the captures go, as a runner does that ends. */
    forget: () => held.clear(),
  };
}

/** A model that makes up its mind layer by layer. */
function fakeLens(
  rows: number,
  positions: number,
  top: number,
  last: (position: number) => readonly { id: number; text: string; logprob: number }[],
): Lens {
  const ids = new Int32Array(rows * positions * top);
  const probabilities = new Float32Array(rows * positions * top);
  const final = new Float32Array(rows * positions);
  const norms = new Float32Array(rows * positions);
  const texts: Record<string, string> = {};
  for (let position = 0; position < positions; position += 1) {
    const candidates = last(position);
    for (const { id, text } of candidates) texts[id] = text;
    for (let row = 0; row < rows; row += 1) {
      const progress = (row + 1) / rows;
      const decided = noise(position * 3 + 11) * 0.7;
      const cell = row * positions + position;
      const order = progress >= decided ? candidates : candidates.toReversed();
      for (const [at, { id, logprob }] of order.entries()) {
        ids[cell * top + at] = id;
        const own = candidates[at]?.logprob ?? logprob;
        probabilities[cell * top + at] = Math.exp(own) * (0.3 + 0.7 * progress);
      }
      final[cell] = Math.exp(candidates[0]?.logprob ?? 0) * (progress >= decided ? progress : 0.02);
      norms[cell] = (position === 0 ? 60 : 4) * (1 + row * 1.4) * (0.9 + noise(cell) * 0.2);
    }
  }
  return { rows, positions, top, ids, probabilities, final, norms, texts };
}
