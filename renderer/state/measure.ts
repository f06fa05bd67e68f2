import {
  metricNames,
  metrics,
  type BenchInput,
  type DataKind,
  type EvaluateInput,
  type Metric,
  type ModelRecord,
} from '../../preload/contract/index.ts';
import { modelKey } from './models.ts';

/** The data sets that ship with Lathe: one of each kind. */
export const shippedData: Readonly<Record<DataKind, string>> = {
  documents: 'stories',
  choices: 'choices',
  pairs: 'minimal-pairs',
  continuations: 'last-words',
};

/** Percentiles that a measurement of speed can be made long enough for. */
export const percentiles = ['p50', 'p99', 'p999'] as const;
export type Percentile = (typeof percentiles)[number];

const samplesFor: Readonly<Record<Percentile, number>> = { p50: 1, p99: 1000, p999: 10_000 };

export interface SpeedPlan {
  readonly promptTokens: number;
  readonly newTokens: number;
  /** The rarest percentile that is wanted; it decides how many runs there are. */
  readonly percentile: Percentile;
}

/** What is to be measured of several models. */
export interface MeasurePlan {
  /** Keys of models. */
  readonly models: readonly string[];
  readonly metrics: readonly Metric[];
  /** A shipped set or an absolute path for each kind of data. */
  readonly data: Readonly<Record<DataKind, string>>;
  /** Names that the fields of the data have in the files, where they have others: `text=story`. */
  readonly fields: string;
  /** Only the first so many items; null for all. */
  readonly limit: number | null;
  /** null measures no speed. */
  readonly speed: SpeedPlan | null;
  /** Measure also what was measured before. */
  readonly again: boolean;
}

export const firstPlan: MeasurePlan = {
  models: [],
  metrics: ['perplexity', 'kl', 'top-1'],
  data: shippedData,
  fields: '',
  limit: null,
  speed: { promptTokens: 128, newTokens: 64, percentile: 'p99' },
  again: false,
};

/** As few runs as give the samples that the percentile takes, five at least. */
export const runsFor = ({ newTokens, percentile }: SpeedPlan): number =>
  Math.min(1000, Math.max(5, Math.ceil(samplesFor[percentile] / Math.max(1, newTokens - 1))));

export const benchOfPlan = (speed: SpeedPlan): Omit<BenchInput, 'model'> => ({
  promptTokens: speed.promptTokens,
  newTokens: speed.newTokens,
  runs: runsFor(speed),
});

/** The kinds of data that metrics read, in the order of the contract. */
export const kindsOf = (chosen: readonly Metric[]): DataKind[] => [
  ...new Set(
    metricNames.filter((name) => chosen.includes(name)).map((name) => metrics[name].reads),
  ),
];

/** What of a plan is measured of each model alike: one entry per kind of data. */
export const evaluationsOfPlan = ({
  metrics: chosen,
  data,
  fields,
  limit,
  again,
}: MeasurePlan): Omit<EvaluateInput, 'model' | 'against'>[] =>
  kindsOf(chosen).map((kind) => ({
    metrics: chosen.filter((metric) => metrics[metric].reads === kind),
    data: data[kind],
    fields: fieldsOf(fields) ?? {},
    again,
    ...(limit !== null && { limit }),
  }));

/** `text=story, answer=label` as a record; null where it is not written so. */
export function fieldsOf(text: string): Record<string, string> | null {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => pair.split('=').map((part) => part.trim()));
  if (pairs.some((parts) => parts.length !== 2 || parts.includes(''))) return null;
  return Object.fromEntries(pairs.map(([name = '', field = '']) => [name, field]));
}

/**
 * The requests of a plan: each variant is compared with the model it was made from at last; metrics
 * that compare are left out for models that were made from none.
 */
export function requestsOf(
  plan: MeasurePlan,
  known: readonly ModelRecord[],
): { readonly evaluations: EvaluateInput[]; readonly benches: BenchInput[] } {
  const evaluations = plan.models.flatMap((model) => {
    const base = baseOf(model, known);
    return evaluationsOfPlan(plan).flatMap((part) => {
      const fitting = part.metrics.filter((metric) => base !== null || !metrics[metric].needsBase);
      if (fitting.length === 0) return [];
      return [{ ...part, model, metrics: fitting, ...(base !== null && { against: base }) }];
    });
  });
  const { speed } = plan;
  const benches = speed ? plan.models.map((model) => ({ model, ...benchOfPlan(speed) })) : [];
  return { evaluations, benches };
}

/** Key of the model that a variant goes back to, as far as the library has it; null for none. */
export function baseOf(key: string, known: readonly ModelRecord[]): string | null {
  const byName = new Map(known.map((model) => [model.name, model]));
  const model = known.find((each) => modelKey(each) === key);
  let base: ModelRecord | null = null;
  let parent = model?.parent ?? null;
  while (parent !== null) {
    const found = byName.get(parent);
    if (!found || found === base) break;
    base = found;
    parent = found.parent;
  }
  return base && modelKey(base);
}
