import { engineNames, type EngineName, type Sample } from './engines.ts';
import { streamedBytes } from './modelS.ts';

/** One turn of one engine. */
export interface Measurement extends Sample {
  readonly context: number;
  readonly round: number;
  readonly name: EngineName;
  /**
   * Bytes per second that the memory can be read with, measured just before the turns of this
   * round: as any process has it, and as the runners of Lathe have it (huge pages on Linux).
   */
  readonly bandwidth: { readonly plain: number; readonly runner: number };
  /** What the matrix products of a token take by themselves, just before the turns of this round. */
  readonly productsMs: number;
  /** Share of the machine that other processes took meanwhile. */
  readonly foreign: number;
}

interface Goal {
  readonly text: string;
  readonly value: number;
  readonly reached: boolean;
}

interface Report {
  readonly table: string;
  readonly goals: readonly Goal[];
  /** All goals that could be measured were reached. */
  readonly passed: boolean;
}

/** What was measured as a table, and whether it reaches the goals. */
export function report(measurements: readonly Measurement[]): Report {
  const contexts = [...new Set(measurements.map(({ context }) => context))];
  const rows = contexts.map((context) => {
    const [lathe, ...peers] = engineNames.map((name) => of(measurements, context, name));
    return [
      context.toLocaleString('en'),
      ...[lathe, ...peers].map((turns) => rate(turns).toFixed(1)),
      ...peers.map((turns) => `${ratio(lathe, turns).toFixed(2)}×`),
      ...peers.map((turns) => `${ratio(lathe, turns, meanMs).toFixed(2)}×`),
      ...[lathe, ...peers].map((turns) => median(turns.map(({ firstMs }) => firstMs)).toFixed(0)),
      `${(100 * bandwidthShare(lathe, 'plain')).toFixed(0)} %`,
      `${(100 * bandwidthShare(lathe, 'runner')).toFixed(0)} %`,
      (1000 / median(lathe.map((turn) => turn.productsMs))).toFixed(1),
      ...peers.map((turns) => `${ceiling(turns).toFixed(2)}×`),
      `${(100 * Math.max(...measurements.filter((m) => m.context === context).map((m) => m.foreign))).toFixed(0)} %`,
    ];
  });
  const header = [
    'context',
    ...engineNames.map((name) => `${name} tok/s`),
    ...engineNames.slice(1).map((name) => `× ${name}`),
    ...engineNames.slice(1).map((name) => `× ${name} with pauses`),
    ...engineNames.map((name) => `${name} first ms`),
    'of bandwidth',
    'in huge pages',
    'products alone tok/s',
    ...engineNames.slice(1).map((name) => `× ${name} at most`),
    'others',
  ];
  const goals = goalsOf(measurements, contexts);
  const best = (memory: 'plain' | 'runner'): string =>
    (Math.max(...measurements.map(({ bandwidth }) => bandwidth[memory])) / 1e9).toFixed(1);
  const table = [
    layout([header, ...rows]),
    `Read bandwidth ${best('plain')} GB/s at best in a plain process (the goal's measure), ${best('runner')} in huge pages as a runner has them; shares are of the same round.`,
    agreement(measurements),
    ...goals.map(
      ({ text, value, reached }) => `${reached ? 'PASS' : 'FAIL'} ${text}: ${value.toFixed(2)}`,
    ),
  ].join('\n');
  return { table, goals, passed: goals.every(({ reached }) => reached) };
}

function goalsOf(measurements: readonly Measurement[], contexts: readonly number[]): Goal[] {
  const goals: Goal[] = [];
  const atLeast = (text: string, bound: number, value: number): void => {
    goals.push({ text: `${text} ≥ ${bound}`, value, reached: value >= bound });
  };
  for (const context of contexts) {
    const [lathe, transformers, llama] = engineNames.map((name) => of(measurements, context, name));
    const bound = { 128: 1.6, 1024: 3, 4096: 5 }[context];
    if (bound) atLeast(`× transformers.js at ${context}`, bound, ratio(lathe, transformers));
    if (context === 128) {
      atLeast(`× node-llama-cpp at ${context}`, 1.2, ratio(lathe, llama));
      atLeast(`share of the read bandwidth at ${context}`, 0.8, bandwidthShare(lathe, 'plain'));
    }
  }
  if (contexts.includes(128) && contexts.includes(4096)) {
    const [short, long] = [128, 4096].map((context) => rate(of(measurements, context, 'lathe')));
    const value = short / long;
    goals.push({ text: 'decode at 4096 against 128 ≤ 3.5', value, reached: value <= 3.5 });
  }
  return goals;
}

const of = (measurements: readonly Measurement[], context: number, name: EngineName) =>
  measurements.filter((turn) => turn.context === context && turn.name === name);

/** Milliseconds of the median token of one turn. */
const tokenMs = ({ tokenMs: all }: Sample): number => median(all);

/**
 * Milliseconds per token of one turn, pauses included: what an engine spends now and then, on
 * collecting the garbage of its copies for one. Also what others on the machine cost it.
 */
const meanMs = ({ tokenMs: all }: Sample): number =>
  all.reduce((sum, ms) => sum + ms, 0) / all.length;

/** Tokens per second: of the median turn. */
const rate = (turns: readonly Sample[]): number => 1000 / median(turns.map(tokenMs));

/** How much faster `ours` is: the median over rounds of the ratio within a round. */
function ratio(
  ours: readonly Measurement[],
  theirs: readonly Measurement[],
  ms: (turn: Sample) => number = tokenMs,
): number {
  return median(ours.map((turn, at) => ms(theirs[at]) / ms(turn)));
}

/** How much faster than `theirs` an engine would be that spent no time on anything but products. */
const ceiling = (theirs: readonly Measurement[]): number =>
  median(theirs.map((turn) => tokenMs(turn) / turn.productsMs));

/** Weights read per second as a share of the bandwidth of the same round. */
function bandwidthShare(turns: readonly Measurement[], memory: 'plain' | 'runner'): number {
  return median(
    turns.map((turn) => (streamedBytes() * 1000) / tokenMs(turn) / turn.bandwidth[memory]),
  );
}

/** Whether the engines chose the same tokens, as the same weights and greedy decoding should. */
function agreement(measurements: readonly Measurement[]): string {
  const lathe = measurements.filter(({ name }) => name === 'lathe');
  const shares = engineNames.slice(1).map((name) => {
    const pairs = lathe.flatMap(({ context, round, ids }) => {
      const other = of(measurements, context, name).find((turn) => turn.round === round);
      return other ? [{ ids, theirs: other.ids }] : [];
    });
    const same = pairs.reduce((sum, { ids, theirs }) => {
      const differs = ids.findIndex((id, at) => id !== theirs[at]);
      return sum + (differs < 0 ? ids.length : differs);
    }, 0);
    return `${name} ${same} of ${pairs.reduce((sum, { ids }) => sum + ids.length, 0)}`;
  });
  return `Tokens chosen as Lathe does, up to the first other one: ${shares.join(', ')}.`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function layout(rows: readonly string[][]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((cell, column) => cell.padStart(widths[column])).join('  '))
    .join('\n');
}
