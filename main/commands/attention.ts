import type {
  Capture,
  EngineClient,
  Head,
  HeadStatistics,
  Square,
} from '../../preload/contract/index.ts';
import { onlyPositional, UsageError, type Arguments } from './arguments.ts';
import { ablated, captureOf, captureOptions, differenceOf, encoded, indexOf } from './captured.ts';
import type { Command, Context } from './command.ts';
import { modelOf } from './model.ts';
import { print, printJson, table } from './output.ts';
import { promptOf } from './prompt.ts';

/** Keys named for each token of one head. */
const MOST_KEYS = 3;

export const command: Command = {
  summary: 'show where the heads of a model look',
  synopsis: '<model> --prompt T [--layer N [--head N]] [--against OTHER] [--ablate L.H]',
  options: {
    ...captureOptions,
    layer: { placeholder: 'N', help: 'the heads of this layer only, counted from 0' },
    head: { placeholder: 'N', help: 'this head of the layer only' },
    against: {
      placeholder: 'OTHER',
      help: 'say also how far each pattern is from that of another model',
    },
  },
  usesRunner: true,

  check(args) {
    onlyPositional(args, 'model');
    promptOf(args);
    wanted(args);
    if (ablated(args).length > 0 && args.has('against')) {
      throw new UsageError('--against and --ablate exclude each other');
    }
  },

  async run(context) {
    const { args, json, signal } = context;
    const client = await context.engine();
    const typed = onlyPositional(args, 'model');
    const capture = await captureOf(context, client, typed);
    const { layer, head } = wanted(args);
    checkWanted(capture, layer, head);
    const isWanted = (one: Head): boolean =>
      (layer === undefined || one.layer === layer) && (head === undefined || one.head === head);
    const all = await client.inspect.heads({ capture: capture.id }, { signal });
    const matrices = await matricesOf(client, capture, { layer, head }, signal);
    // Last: the captures of a comparison may take the place of this one.
    const divergence = await divergenceOf(context, client, typed);
    const rows = all
      .map((one, at) => ({ ...one, ...(divergence && { divergence: divergence[at] }) }))
      .filter(isWanted);
    if (json) return printJson(documentOf(capture, rows, matrices));
    print(tableOf(rows));
    if (head !== undefined) print(`\n${looksText(capture, matrices[0])}`);
  },
};

interface Wanted {
  readonly layer: number | undefined;
  readonly head: number | undefined;
}

function wanted(args: Arguments): Wanted {
  const layer = indexOf(args, 'layer');
  const head = indexOf(args, 'head');
  if (head !== undefined && layer === undefined) throw new UsageError('--head needs a --layer');
  return { layer, head };
}

function checkWanted({ layers, heads }: Capture, layer = 0, head = 0): void {
  if (layer >= layers) throw new UsageError(`--layer must be below ${layers}: ${layer}`);
  if (head >= heads[layer]) throw new UsageError(`--head must be below ${heads[layer]}: ${head}`);
}

/** Divergence of every head's pattern from the other model's, where one is named. */
async function divergenceOf(
  context: Context,
  client: EngineClient,
  typed: string,
): Promise<Float32Array | null> {
  const { args } = context;
  const against = args.text('against');
  if (against === undefined) return null;
  const request = {
    base: await modelOf(against, client),
    variant: await modelOf(typed, client),
    prompt: promptOf(args),
    newTokens: 0,
  };
  const { headDivergence, note } = await differenceOf(context, client, request);
  if (headDivergence !== null) return headDivergence;
  throw new UsageError(`${typed} against ${against}: ${note}`);
}

/** A pattern and whose it is. */
type Matrix = Square & { readonly layer: number; readonly head: number | 'mean' };

/** One head, the heads of one layer, or the mean of each layer. */
async function matricesOf(
  client: EngineClient,
  { id, heads }: Capture,
  { layer, head }: Wanted,
  signal: AbortSignal,
): Promise<Matrix[]> {
  const asked: Pick<Matrix, 'layer' | 'head'>[] =
    layer === undefined
      ? heads.map((_, one) => ({ layer: one, head: 'mean' as const }))
      : Array.from({ length: heads[layer] }, (_, one) => ({ layer, head: one })).filter(
          (one) => head === undefined || one.head === head,
        );
  const matrices: Matrix[] = [];
  for (const one of asked) {
    matrices.push({
      ...one,
      ...(await client.inspect.pattern({ capture: id, ...one }, { signal })),
    });
  }
  return matrices;
}

type Row = HeadStatistics & { readonly divergence?: number };

function documentOf(capture: Capture, statistics: readonly Row[], matrices: readonly Matrix[]) {
  const { model, tokens, layers, heads, keyValueHeads, ablated: off, ms, bytes } = capture;
  return {
    model,
    tokens,
    layers,
    heads,
    keyValueHeads,
    ablated: off,
    ms,
    bytes,
    statistics,
    patterns: matrices.map(({ layer, head, tokens: size, data }) => ({
      layer,
      head,
      ...encoded(data, [size, size]),
    })),
  };
}

function tableOf(rows: readonly Row[]): string {
  const hasOther = rows.some(({ divergence }) => divergence !== undefined);
  const header = ['head', 'entropy', 'distance', 'previous', 'self', 'sink', 'induction'];
  header.push('duplicate', 'positional', ...(hasOther ? ['divergence'] : []));
  return table(
    header,
    rows.map((row) => [
      `${row.layer}.${row.head}`,
      row.entropy.toFixed(2),
      row.distance.toFixed(1),
      ...[row.previous, row.self, row.sink, row.induction, row.duplicate, row.positional].map(
        share,
      ),
      ...(hasOther ? [(row.divergence ?? NaN).toPrecision(3)] : []),
    ]),
  );
}

const share = (value: number | null): string => (value === null ? '' : value.toFixed(3));

/** For each token those that it looks at most. */
function looksText({ tokens }: Capture, { tokens: size, data }: Matrix): string {
  const name = (at: number): string => JSON.stringify(tokens[at].text);
  const rows = tokens.map((_, row) => {
    const looks = [...data.subarray(row * size, row * size + row + 1)]
      .map((p, key) => ({ p, key }))
      .toSorted((a, b) => b.p - a.p)
      .slice(0, MOST_KEYS)
      .map(({ p, key }) => `${name(key)} (${key}) ${(100 * p).toFixed(1)} %`);
    return [String(row), name(row), looks.join(', ')];
  });
  return table(['', 'token', 'looks at'], rows);
}
