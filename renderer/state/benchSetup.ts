import {
  benchRequestSchema,
  type BenchRecord,
  type BenchRequest,
  type ModelRecord,
} from '../../preload/contract/index.ts';
import { modelKey } from './models.ts';

/** What is about to be measured: one request for each of the models. */
export interface BenchSetup extends Omit<BenchRequest, 'model'> {
  /** Keys of the models, see `modelKey`. */
  readonly models: readonly string[];
}

/** The fields that hold a list of stops. */
export const sweeps = ['contexts', 'batches', 'threadCounts'] as const;
export type SweepName = (typeof sweeps)[number];

const { model: _, ...standard } = benchRequestSchema.parse({ model: '-' });
export const firstSetup: BenchSetup = { ...standard, models: [] };

/** What was remembered of a set-up, where it still fits. */
export function readSetup(stored: Partial<BenchSetup>): BenchSetup {
  const read = benchRequestSchema.safeParse({ ...stored, model: '-' });
  if (!read.success) return firstSetup;
  const { model: _unused, ...rest } = read.data;
  const models = Array.isArray(stored.models) ? stored.models : [];
  return { ...rest, models: models.filter((model) => typeof model === 'string') };
}

export const requestsOf = ({ models, ...request }: BenchSetup): BenchRequest[] =>
  models.map((model) => ({ ...request, model }));

/** The models that are to be measured, as the library knows them. */
export const chosenModels = (
  { models }: BenchSetup,
  known: readonly ModelRecord[],
): readonly ModelRecord[] =>
  models.flatMap((key) => known.find((record) => modelKey(record) === key) ?? []);

/** What is wrong with a field, to be shown below it. */
export type SetupProblems = Partial<Record<keyof BenchSetup, string>>;

/** Says what the engine would refuse; the shortest context of the models decides. */
export function problemsOf(setup: BenchSetup, chosen: readonly ModelRecord[]): SetupProblems {
  const { promptTokens, newTokens, contexts } = setup;
  const shortest = shortestOf(chosen);
  if (!shortest) return { models: 'Choose a model to measure' };
  const { name, contextLength } = shortest;
  const tooLong = contexts.filter((context) => context + newTokens > contextLength);
  return {
    ...(promptTokens + newTokens > contextLength && {
      promptTokens: `${promptTokens} + ${newTokens} tokens do not fit the ${contextLength} of ${name}`,
    }),
    ...(tooLong.length > 0 && {
      contexts: `With ${newTokens} new tokens, too long for the ${contextLength} of ${name}: ${tooLong.join(', ')}`,
    }),
  };
}

const shortestOf = (models: readonly ModelRecord[]): ModelRecord | undefined =>
  models.toSorted((a, b) => a.contextLength - b.contextLength)[0];

/** Stops that show the shape of a curve, as far as the models and the machine reach. */
export function usualStops(
  sweep: SweepName,
  { newTokens }: BenchSetup,
  chosen: readonly ModelRecord[],
  cores: number,
): number[] {
  switch (sweep) {
    case 'contexts': {
      const most = (shortestOf(chosen)?.contextLength ?? 512) - newTokens;
      return most < 1 ? [] : [...doubling(16, most - 1), most].slice(-8);
    }
    case 'batches':
      return [1, 2, 4, 8];
    case 'threadCounts':
      return [...doubling(1, cores - 1), cores];
  }
}

/** `from`, twice that, four times that, … up to `most`. */
const doubling = (from: number, most: number): number[] =>
  most < from ? [] : [from, ...doubling(from * 2, most)];

/** Takes what the request's schema takes of a stop: whole, ordered, each once. */
export const cleanStops = (sweep: SweepName, values: readonly number[]): number[] => {
  const one = benchRequestSchema.shape[sweep];
  return [...new Set(values)]
    .filter((value) => one.safeParse([value]).success)
    .toSorted((a, b) => a - b);
};

/** The percentiles that are told, and how many samples each needs to mean something. */
export const percentiles = [
  { key: 'p50', name: 'P50', share: 0.5, samples: 1 },
  { key: 'p90', name: 'P90', share: 0.9, samples: 10 },
  { key: 'p99', name: 'P99', share: 0.99, samples: 1000 },
  { key: 'p999', name: 'P99.9', share: 0.999, samples: 10_000 },
] as const;

/** Times between tokens that a set-up takes: one for each step of each run. */
export const samplesOf = ({ runs, newTokens }: BenchSetup): number => runs * newTokens;

/** For a percentile out of reach: how many runs of these tokens would do. */
export const runsFor = (samples: number, { newTokens }: BenchSetup): number =>
  Math.ceil(samples / newTokens);

/** How long a measurement takes, and whether that follows from one made before or is a guess. */
export interface SetupEstimate {
  readonly ms: number;
  readonly isMeasured: boolean;
}

/** Adds up the steps of every run; a model that was never measured is guessed from its size. */
export function estimateOf(
  setup: BenchSetup,
  chosen: readonly ModelRecord[],
  records: readonly BenchRecord[],
): SetupEstimate {
  const speeds = chosen.map((model) => speedOf(model, records));
  return {
    ms: speeds.reduce((sum, speed) => sum + durationOf(setup, speed), 0),
    isMeasured: speeds.every(({ isMeasured }) => isMeasured),
  };
}

interface Speed {
  readonly loadMs: number;
  /** Milliseconds for a token of the prompt, and for a step of the decode. */
  readonly prefillMs: number;
  readonly stepMs: number;
  readonly isMeasured: boolean;
}

function speedOf(
  { sha256, bytes, parameters }: ModelRecord,
  records: readonly BenchRecord[],
): Speed {
  const before = records.find(({ modelSha256 }) => modelSha256 === sha256);
  if (!before) {
    // A step reads every weight once, a prompt multiplies by them: both as slow machines do it.
    const stepMs = 0.5 + bytes / 8e6;
    return { loadMs: 200 + bytes / 2e5, prefillMs: parameters / 2e7, stepMs, isMeasured: false };
  }
  const { promptTokens, batch } = before.request;
  return {
    loadMs: before.loadMs,
    prefillMs: before.prefill.p50 / (promptTokens * batch),
    // The mean, as long steps take their time too.
    stepMs: before.decode.mean ?? before.decode.p50,
    isMeasured: true,
  };
}

function durationOf(setup: BenchSetup, { loadMs, prefillMs, stepMs }: Speed): number {
  const { promptTokens, newTokens, batch, runs } = setup;
  const round = (prompt: number, rows: number): number =>
    prefillMs * prompt * rows + stepMs * newTokens * (1 + (rows - 1) / 2);
  // Every stop warms up as the first does.
  const all = (prompt: number, rows: number): number => (runs + 1) * round(prompt, rows);
  return (
    loadMs +
    all(promptTokens, batch) +
    sumOf(setup.contexts, (context) => all(context, batch)) +
    sumOf(setup.batches, (rows) => all(promptTokens, rows)) +
    sumOf(setup.threadCounts, () => loadMs + all(promptTokens, batch)) +
    (setup.load ? 2 * loadMs : 0) +
    (setup.profile ? loadMs + 2 * round(promptTokens, batch) : 0)
  );
}

const sumOf = (values: readonly number[], of: (value: number) => number): number =>
  values.reduce((total, value) => total + of(value), 0);
