import { metrics, type JobSummary } from '../../preload/contract/index.ts';
import { isActive } from './job.ts';
import type { MeasurePlan } from './measure.ts';
import type { Missing, Point, PointSet, SeriesChoice } from './points.ts';
import { metricOf, quantityOf } from './quantities.ts';
import type { Series } from './series.ts';

/** `3 models have no Decode P99 yet` */
export function missingText(missing: Missing): string {
  const { key, points } = missing;
  const { title, source } = quantityOf(key);
  const who = points.length === 1 ? '1 model has' : `${points.length} models have`;
  if (source === 'price') return `${who} no cost: it takes a price per hour and a measured speed`;
  return isUnreadable(missing)
    ? `${who} no ${title}: the energy counter of this machine cannot be read`
    : `${who} no ${title} yet`;
}

/** Whether measuring would help: where speed was measured without energy, it cannot be read. */
export const canMeasure = (missing: Missing): boolean =>
  quantityOf(missing.key).source !== 'price' && !isUnreadable(missing);

const isUnreadable = ({ key, points }: Missing): boolean =>
  key === 'joules' && points.every(({ values }) => values.has('tokens-per-second'));

/** The points that no job measures already. */
export function notAskedFor(
  { key, points }: Missing,
  jobs: readonly JobSummary[],
): readonly Point[] {
  const metric = metricOf(key);
  const busy = new Set(
    jobs
      .filter(isActive)
      .filter((job) =>
        metric === null
          ? job.kind === 'bench'
          : job.kind === 'evaluate' && job.request.metrics.includes(metric),
      )
      .map(({ model }) => model),
  );
  return points.filter((point) => !busy.has(point.key) && !busy.has(point.model.name));
}

/**
 * A plan that measures what is missing as the others were measured, on the same data and with the
 * same prompt, so that the values may stand side by side.
 */
export function planLike(
  plan: MeasurePlan,
  { key, points }: Missing,
  measured: Pick<PointSet, 'series' | 'benchSeries'> & { readonly chosen: SeriesChoice },
): MeasurePlan {
  const { series, benchSeries, chosen } = measured;
  const models = points.map((point) => point.key);
  const metric = metricOf(key);
  if (metric === null) {
    const { promptTokens, newTokens } = newestOf(benchSeries, chosen.bench)?.request ?? {
      promptTokens: 128,
      newTokens: 64,
    };
    const percentile = key === 'decode-p99' ? 'p99' : 'p50';
    return { ...plan, models, metrics: [], speed: { promptTokens, newTokens, percentile } };
  }
  const like = newestOf(series.get(key) ?? [], chosen[key]);
  const only = { ...plan, models, metrics: [metric], speed: null };
  if (!like) return only;
  return {
    ...only,
    data: { ...plan.data, [metrics[metric].reads]: like.data },
    limit: Number(partOf(like.protocol, 'first') ?? 0) || null,
    fields: partOf(like.protocol, 'fields') ?? '',
  };
}

const newestOf = <Entry>(all: readonly Series<Entry>[], key: string | undefined) =>
  (all.find((each) => each.key === key) ?? all[0])?.records[0];

/** What a protocol says of `name`: `8` in `…/first=8/…`. */
const partOf = (protocol: string, name: string): string | undefined =>
  protocol
    .split('/')
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1);
