import { implement } from '@orpc/server';
import {
  contract,
  LatheError,
  recipeSchema,
  type Attribution,
  type Difference,
  type DifferenceRequest,
  type LinearFacts,
  type Losses,
  type ModelRecord,
  type Prompt,
  type Suspect,
  type Token,
  type TokenText,
  type Weights,
} from '../../preload/contract/index.ts';
import { linears } from './fakeCompress.ts';

/** A pseudo-random number in [0, 1) for an index: the same every time. */
const noise = (index: number): number => {
  const value = Math.sin(index * 12.9898 + 37.719) * 43758.5453;
  return value - Math.floor(value);
};

const encoder = new TextEncoder();
const tokenOf = (text: string, id: number): Token => ({
  id,
  text,
  bytes: [...encoder.encode(text)],
});

const textOf = (prompt: Prompt): string =>
  prompt.kind === 'completion'
    ? prompt.text
    : prompt.messages.map(({ content }) => content).join('\n');

/** What the base writes, and the word that the variant has for the one it trips over. */
const written =
  ' lived in a small house by the sea. Every day he went out to look for shells, and one day he ' +
  'found a very big one with a light in it.';
const flipped = { at: 9, text: ' wood' };

const layersOf = (model: ModelRecord): LinearFacts[] =>
  linears(model).filter(({ block }) => block !== null);

const bell = (size: number, width: number) => ({
  from: -0.4,
  to: 0.4,
  counts: Array.from({ length: 64 }, (_, at) => {
    const place = ((at + 0.5) / 64 - 0.5) * 8;
    return Math.round(size * Math.exp(-((place / width) ** 2)));
  }),
});

const falling = (scale: number) =>
  Float32Array.from({ length: 128 }, (_, at) => scale * 6 * Math.exp(-at / 40) + 0.02);

interface FakeDifferenceOptions {
  /** Milliseconds that each step of long work takes. */
  stepMs: number;
  find: (name: string) => ModelRecord;
  /** Cuts a text as the fake tokenizer does. */
  cut: (text: string) => readonly string[];
}

/** What two models differ in, without a model; the figures follow from the names and the text. */
export function fakeDifference({ stepMs, find, cut }: FakeDifferenceOptions) {
  // Expected failures cross the border as the contract's own errors, as the real router does it.
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
  const differences = new Map<string, Difference>();
  const pause = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const timer = setTimeout(resolve, stepMs);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(new DOMException('cancelled', 'AbortError'));
      });
    });
  async function* progress(stage: string, signal: AbortSignal | undefined) {
    for (const fraction of [0.2, 0.5, 0.8]) {
      yield {
        kind: 'progress' as const,
        stage,
        fraction,
        remainingMs: (1 - fraction) * 4 * stepMs,
      };
      // oxlint-disable-next-line no-await-in-loop
      await pause(signal);
    }
  }
  const tokensOf = (text: string): Token[] =>
    cut(text).map((piece, at) => tokenOf(piece, 100 + at));
  const held = (text: string, { contextLength }: ModelRecord): Token[] => {
    const tokens = tokensOf(text);
    if (tokens.length <= contextLength) return tokens;
    const message = `the prompt has ${tokens.length} tokens; the context holds ${contextLength}`;
    throw new LatheError('context_overflow', message, { next: ['shorten-prompt'] });
  };

  const compare = (request: DifferenceRequest): Difference => {
    const base = find(request.base);
    const variant = find(request.variant);
    if (base.vocabularySize !== variant.vocabularySize) {
      const sizes = `${base.vocabularySize} and ${variant.vocabularySize} tokens`;
      throw new LatheError('usage', `the two models have different vocabularies: ${sizes}`, {
        next: ['choose-model'],
      });
    }
    const prompt = held(textOf(request.prompt), base);
    const rest = tokensOf(written).slice(0, request.newTokens);
    const tokens = [...prompt, ...rest].map((token, at) => ({ ...token, id: 100 + at }));
    const promptTokens = prompt.length;
    const firstDivergence = rest.length > flipped.at ? promptTokens + flipped.at : null;
    const layers = new Set(layersOf(base).map(({ block }) => block)).size;
    const isPruned = variant.name.endsWith('heads-25');
    const heads = Array.from({ length: layers }, () => (layers > 5 ? 9 : 8));
    const count = heads.reduce((sum, size) => sum + size, 0);
    return {
      id: `difference-${differences.size + 1}`,
      base: base.name,
      variant: variant.name,
      tokens,
      promptTokens,
      positions: tokens.map((_, at) => {
        const next = tokens[at + 1];
        const isFlip = at + 1 === firstDivergence;
        const probability = isFlip ? 0.42 : 0.05 + 0.9 * noise(at) ** 2;
        const loses = isFlip ? 0.62 : 0.25 * (noise(at + 500) - 0.4);
        const end = tokenOf('.', 7);
        return {
          base: {
            logprob: next ? Math.log(probability) : null,
            top: next ?? end,
            topLogprob: Math.log(Math.max(0.3, probability)),
          },
          variant: {
            logprob: next ? Math.log(probability) - loses : null,
            top: isFlip ? tokenOf(flipped.text, 9) : (next ?? end),
            topLogprob: Math.log(Math.max(0.3, probability * Math.exp(-loses))),
          },
          kl: isFlip ? 0.41 : 0.16 * noise(at + 900) ** 3,
        };
      }),
      firstDivergence,
      layers,
      heads: isPruned ? null : heads,
      headDivergence: isPruned
        ? null
        : Float32Array.from({ length: count }, (_, at) =>
            at === 19 ? 0.21 : 0.004 + 0.06 * noise(at + 40) ** 4,
          ),
      residualCosine: Float32Array.from(
        { length: layers + 1 },
        (_, at) => 1 - 0.03 * (at / layers) ** 1.5 - 0.002 * noise(at + 3),
      ),
      ...(isPruned && { note: 'the two models have not the same heads' }),
    };
  };
  const get = (id: string): Difference => {
    const found = differences.get(id);
    if (found) return found;
    throw new LatheError('not_found', `this comparison is no longer held: ${id}`, { value: id });
  };
  const suspectsOf = (request: DifferenceRequest): Suspect[] =>
    layersOf(find(request.base)).map(({ name }, at) => ({
      layer: name,
      effect: name === 'blocks.2.mlp.down' ? 0.86 : 0.3 * noise(at + 11) ** 3 - 0.02,
      restores: name === 'blocks.2.mlp.down',
    }));

  const attribution = (text: string, level: Attribution['units'][number]['text']): Attribution => {
    const tokens = tokensOf(text);
    const starts = tokens.flatMap(({ text: piece }, at) => {
      const before = tokens[at - 1]?.text ?? '';
      const begins =
        level === 'token' ||
        at === 0 ||
        (level === 'word' ? /^\s/.test(piece) : /[.!?\n]$/.test(before));
      return begins ? [at] : [];
    });
    return {
      tokens,
      target: tokenOf(' lived', 321),
      logprob: Math.log(0.31),
      units: starts.map((start, index) => {
        const end = starts[index + 1] ?? tokens.length;
        const piece = tokens.slice(start, end).map((token) => token.text);
        const effect = 1.8 * noise(index + 60) ** 2 - 0.35;
        return { start, end, text: piece.join(''), effect };
      }),
      runs: starts.length + 1,
    };
  };

  const tokenText = (model: ModelRecord, text: string): TokenText => {
    const isCoarse = model.name.startsWith('SmolLM2');
    const pieces = cut(text).flatMap((piece) =>
      isCoarse && piece.length > 4 ? [piece.slice(0, 4), piece.slice(4)] : [piece],
    );
    const tokens = pieces.flatMap((piece, at): TokenText['tokens'] => {
      const token = tokenOf(piece, 100 + (at % 61));
      if (!/\p{Extended_Pictographic}|\p{Script=Han}/u.test(piece))
        return [{ ...token, fallback: null }];
      const last = token.bytes.length - 1;
      return token.bytes.map((byte, index) => ({
        id: byte,
        text: index === last ? piece : '',
        bytes: [byte],
        fallback: 'byte',
      }));
    });
    const counts = new Map<number, number>();
    for (const { id } of tokens) counts.set(id, (counts.get(id) ?? 0) + 1);
    const bytes = encoder.encode(text).length;
    const words = text.split(/\s+/).filter((word) => word !== '').length;
    return {
      model: model.name,
      tokens,
      bytes,
      words,
      tokensPerWord: words > 0 ? tokens.length / words : null,
      tokensPerByte: bytes > 0 ? tokens.length / bytes : null,
      vocabularySize: model.vocabularySize,
      used: counts.size,
      once: [...counts.values()].filter((count) => count === 1).length,
      unused: model.vocabularySize - counts.size,
    };
  };

  const losses = (models: readonly ModelRecord[], text: string): Losses => {
    const tokens = tokensOf(text);
    const scored = Math.max(0, tokens.length - 1);
    const deciles = tokens.map((_, at) => Math.floor(noise(at + 7) * 10));
    return {
      tokens,
      deciles,
      models: models.map(({ name }, index) => {
        const nats = Float32Array.from(
          { length: scored },
          (_, at) => 6 * noise(at) ** 3 + index * 0.3 * noise(at + 300),
        );
        return {
          model: name,
          nats,
          kl: index === 0 ? null : nats.map((_, at) => 0.2 * index * noise(at + 400) ** 3),
          byDecile: Array.from({ length: 10 }, (_, decile) => {
            const own = [...nats].filter((__, at) => deciles[at + 1] === decile);
            return own.length > 0 ? own.reduce((sum, each) => sum + each, 0) / own.length : null;
          }),
        };
      }),
    };
  };

  const weights = (model: ModelRecord, layer: string, against: string | undefined): Weights => {
    const facts = linears(model).find(({ name }) => name === layer);
    if (!facts) {
      throw new LatheError('not_found', `no layer has such a name: ${layer}`, { value: layer });
    }
    const other = against ?? model.parent;
    const gridRows = 16;
    const gridColumns = 32;
    return {
      layer,
      rows: facts.rows,
      columns: facts.columns,
      stored: facts.isFloat ? 'float32' : 'int4, groups of 32',
      bits: facts.bits,
      histogram: bell(3000, 1),
      mean: 0.0004,
      deviation: 0.071,
      zeros: facts.isFloat ? 0 : 1250,
      outliers: [
        { channel: 17, largest: 0.39 },
        { channel: 90, largest: 0.31 },
      ],
      singularValues: falling(1),
      difference:
        other === null
          ? null
          : {
              model: find(other).name,
              histogram: bell(2700, 1.1),
              relativeError: 0.083,
              gridRows,
              gridColumns,
              grid: Float32Array.from(
                { length: gridRows * gridColumns },
                (_, at) => 0.003 + 0.004 * noise(at) + (at % gridColumns === 4 ? 0.008 : 0),
              ),
              singularValues: falling(1.02),
            },
    };
  };

  return {
    inspect: {
      difference: checked.inspect.difference.handler(async function* ({ input, signal }) {
        const difference = compare(input);
        yield* progress('Reading with the base', signal);
        yield* progress('Reading with the variant', signal);
        differences.set(difference.id, difference);
        yield { kind: 'done', difference };
      }),
      patternPair: checked.inspect.patternPair.handler(({ input }) => {
        const { tokens, headDivergence } = get(input.difference);
        const size = tokens.length;
        const at = input.layer * 8 + input.head;
        const sharp = 2 + 6 * noise(at);
        const causal = (change: number) => {
          const data = new Float32Array(size * size);
          for (let row = 0; row < size; row += 1) {
            const cells = Array.from(
              { length: row + 1 },
              (_, column) =>
                Math.exp(-(row - column) / sharp) * (0.4 + noise(row * 7 + column + at)) +
                (column === 0 ? 0.6 : 0) +
                change * noise(row * 3 + column * 5),
            );
            const sum = cells.reduce((total, cell) => total + cell, 0);
            for (const [column, cell] of cells.entries()) data[row * size + column] = cell / sum;
          }
          return data;
        };
        const change = 2 * (headDivergence?.[at] ?? 0);
        return { tokens: size, base: causal(0), variant: causal(change) };
      }),
      report: checked.inspect.report.handler(({ input }) => ({
        html: `<!doctype html><title>${get(input.difference).variant}</title>`,
      })),
      blame: checked.inspect.blame.handler(async function* ({ input, signal }) {
        const difference = compare(input);
        const found: Suspect[] = [];
        const all = suspectsOf(input).toSorted((a, b) => b.effect - a.effect);
        for (const [at, suspect] of all.slice(0, 8).toReversed().entries()) {
          const stage = `Putting back ${suspect.layer}`;
          yield { kind: 'progress', stage, fraction: at / 8, remainingMs: (8 - at) * stepMs };
          await pause(signal);
          found.push(suspect);
          yield { kind: 'suspect', ...suspect };
        }
        const position = difference.firstDivergence ?? difference.tokens.length - 1;
        const suspects = found.toSorted((a, b) => b.effect - a.effect);
        const blame = {
          position,
          expected: difference.tokens[position] ?? tokenOf('.', 7),
          given: tokenOf(flipped.text, 9),
          suspects,
          sufficient: suspects.filter(({ restores }) => restores).map(({ layer }) => layer),
          runs: 13,
        };
        yield { kind: 'done', blame };
      }),
      repair: checked.inspect.repair.handler(({ input }) => {
        const { name, parent } = find(input.variant);
        if (parent === null)
          throw new LatheError('not_found', `this model was not made by a recipe: ${name}`);
        const spared = input.layers.map((layer) => `!${layer}`);
        return {
          model: parent,
          recipe: recipeSchema.parse({
            name: `${name.slice(name.indexOf('/') + 1)}-repaired`,
            passes: [
              { pass: 'quantize-rtn', targets: ['blocks.**', ...spared] },
              ...(input.keep === '8-bit'
                ? [{ pass: 'quantize-rtn', bits: 8, targets: input.layers }]
                : []),
            ],
          }),
        };
      }),
      attribution: checked.inspect.attribution.handler(async function* ({ input, signal }) {
        held(textOf(input.prompt), find(input.model));
        yield* progress('Leaving parts out', signal);
        yield { kind: 'done', attribution: attribution(textOf(input.prompt), input.level) };
      }),
      tokenText: checked.inspect.tokenText.handler(({ input }) =>
        tokenText(find(input.model), input.text),
      ),
      losses: checked.inspect.losses.handler(async function* ({ input, signal }) {
        const models = input.models.map(find);
        if (new Set(models.map(({ vocabularySize }) => vocabularySize)).size > 1)
          throw new LatheError('usage', 'the models have different vocabularies', {
            next: ['choose-model'],
          });
        for (const { name } of models) yield* progress(`Reading with ${name}`, signal);
        yield { kind: 'done', losses: losses(models, input.text) };
      }),
      neighbours: checked.inspect.neighbours.handler(({ input }) => {
        find(input.model);
        const near = [' small', ' tiny', ' big', ' young', ' old', 'little', ' Little', ' poor'];
        const text = typeof input.token === 'string' ? (cut(input.token)[0] ?? '') : ' little';
        return {
          token: tokenOf(text, 411),
          neighbours: near
            .map((each, at) => ({ ...tokenOf(each, 500 + at), cosine: 0.71 * 0.85 ** at }))
            .slice(0, input.count),
        };
      }),
      weights: checked.inspect.weights.handler(({ input }) =>
        weights(find(input.model), input.layer, input.against),
      ),
    },
  };
}
