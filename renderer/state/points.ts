import {
  metrics,
  type BenchRecord,
  type EvaluationRecord,
  type ModelRecord,
} from '../../preload/contract/index.ts';
import { modelKey } from './models.ts';
import { costOf, type PriceState } from './price.ts';
import {
  metricOf,
  readBench,
  readEvaluation,
  type QuantityKey,
  type Reading,
} from './quantities.ts';
import { benchSeries, evaluationSeries, type Series } from './series.ts';

/** A model or variant with all that is known of it. */
export interface Point {
  /** Key of the model, see `modelKey`. */
  readonly key: string;
  readonly model: ModelRecord;
  /** Name of the model it was made from at last, its own for one that was not made. */
  readonly family: string;
  /** What was not measured is not there. */
  readonly values: ReadonlyMap<QuantityKey, Reading>;
}

/** Which measurements the values are of: the key of a series for each quantity of choice. */
export type SeriesChoice = Readonly<Partial<Record<QuantityKey | 'bench', string>>>;

export interface PointSources {
  readonly models: readonly ModelRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  readonly benches: readonly BenchRecord[];
  readonly price: PriceState;
  readonly chosen: SeriesChoice;
}

/** All points, and the series that their values are of. */
export interface PointSet {
  readonly points: readonly Point[];
  /** What was measured at all, for the menus of the axes. */
  readonly series: ReadonlyMap<QuantityKey, readonly Series<EvaluationRecord>[]>;
  readonly benchSeries: readonly Series<BenchRecord>[];
}

const speeds = [
  'decode-p50',
  'decode-p90',
  'decode-p99',
  'ttft',
  'tokens-per-second',
  'peak-memory',
  'joules',
] as const satisfies readonly QuantityKey[];

/**
 * One point per model, with the newest measurement of every quantity within one series each: values
 * that were measured differently never stand side by side.
 */
export function joinPoints(sources: PointSources): PointSet {
  const { models, evaluations, benches, price, chosen } = sources;
  const parents = new Map(models.map((model) => [model.name, model.parent]));
  const rootOf = (name: string): string => familyOf(name, parents);
  const series = new Map<QuantityKey, Series<EvaluationRecord>[]>();
  for (const metric of new Set(evaluations.map((record) => record.metric)))
    series.set(`quality:${metric}`, evaluationSeries(evaluations, metric, rootOf));
  const ofBenches = benchSeries(benches);

  const quality = [...series].map(
    ([key, all]) => [key, newestPerModel(pick(all, chosen[key]))] as const,
  );
  const speed = Map.groupBy(pick(ofBenches, chosen.bench), nameAndHash);

  const points = models.map((model): Point => {
    const values = new Map<QuantityKey, Reading>();
    const id = nameAndHash({ model: model.name, modelSha256: model.sha256 });
    for (const [key, newest] of quality) {
      const record = newest.get(id);
      if (record) values.set(key, readEvaluation(record));
    }
    for (const key of speeds) {
      const reading = firstReading(speed.get(id) ?? [], key);
      if (reading) values.set(key, reading);
    }
    const rate = values.get('tokens-per-second');
    const cost = rate ? costOf(rate.value, price) : null;
    if (rate && cost !== null) values.set('cost', { ...rate, value: cost });
    values.set('bytes', { value: model.bytes / 1e6, ci95: null, n: null, record: null });
    return { key: modelKey(model), model, family: rootOf(model.name), values };
  });
  return { points, series, benchSeries: ofBenches };
}

/** The records of the series of this key, or of the first where it has gone. */
const pick = <Entry>(all: readonly Series<Entry>[], key: string | undefined): readonly Entry[] =>
  (all.find((each) => each.key === key) ?? all[0])?.records ?? [];

/** Weights decide what a model does, the name tells apart what graphs do with the same weights. */
const nameAndHash = ({ model, modelSha256 }: { model: string; modelSha256: string }): string =>
  `${modelSha256} ${model}`;

/** The records are sorted, the newest first. */
function newestPerModel(records: readonly EvaluationRecord[]): Map<string, EvaluationRecord> {
  const newest = new Map<string, EvaluationRecord>();
  for (const record of records) {
    const key = nameAndHash(record);
    if (!newest.has(key)) newest.set(key, record);
  }
  return newest;
}

/** The newest that tells it: one of few samples has no 99th percentile, an older one may. */
function firstReading(
  records: readonly BenchRecord[],
  key: (typeof speeds)[number],
): Reading | null {
  for (const record of records) {
    const reading = readBench(key, record);
    if (reading) return reading;
  }
  return null;
}

function familyOf(name: string, parents: ReadonlyMap<string, string | null>): string {
  const seen = new Set<string>();
  let root = name;
  for (;;) {
    seen.add(root);
    const parent = parents.get(root);
    // What a variant was made from may have left the library; its name still tells the family.
    if (parent === null || parent === undefined || seen.has(parent)) return root;
    root = parent;
  }
}

/** Points that have both, and for each axis those that lack it. */
export function split(
  points: readonly Point[],
  x: QuantityKey,
  y: QuantityKey,
): { readonly complete: readonly Point[]; readonly missing: readonly Missing[] } {
  const lacking = (key: QuantityKey): Missing => ({
    key,
    points: points.filter((point) => !point.values.has(key) && canHave(point, key)),
  });
  return {
    complete: points.filter(({ values }) => values.has(x) && values.has(y)),
    missing: (x === y ? [x] : [x, y]).map(lacking).filter((each) => each.points.length > 0),
  };
}

/** Points that have no value of a quantity yet. */
export interface Missing {
  readonly key: QuantityKey;
  readonly points: readonly Point[];
}

/** A model is not compared with itself. */
export function canHave({ model }: Point, key: QuantityKey): boolean {
  const metric = metricOf(key);
  return metric === null || !metrics[metric].needsBase || model.parent !== null;
}
