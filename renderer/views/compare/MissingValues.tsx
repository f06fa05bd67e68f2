import { Button } from '@mantine/core';
import { metrics } from '../../../preload/contract/index.ts';
import { requestsOf, type MeasurePlan } from '../../state/measure.ts';
import { missingText, type Missing } from '../../state/points.ts';
import { metricOf, quantityOf } from '../../state/quantities.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { useComparison } from './comparison.ts';
import classes from './Side.module.css';

/** Who is not in the chart, and a button that changes it. */
export function MissingValues() {
  const { missing } = useComparison();
  if (missing.length === 0) return null;
  return (
    <section aria-label="Not measured yet" className={classes.section}>
      <div className={classes.heading}>
        <h2>Not measured yet</h2>
      </div>
      {missing.map((each) => (
        <MissingValue key={each.key} missing={each} />
      ))}
    </section>
  );
}

const namesShown = 3;

function MissingValue({ missing }: { missing: Missing }) {
  const { measurements, models, compare, connection } = useStudio();
  const { series, benchSeries } = useComparison();
  const known = usePart(models.store, (state) => state.models);
  const plan = usePart(compare.store, (state) => state.plan);
  const chosen = usePart(compare.store, (state) => state.chosen);
  const isConnected = usePart(connection, (state) => state.connection.kind === 'ready');
  const { title, source } = quantityOf(missing.key);
  const metric = metricOf(missing.key);

  /** Measured as the others were, so that the values may stand side by side. */
  const planned = (): MeasurePlan => {
    const keys = missing.points.map(({ key }) => key);
    if (metric) {
      const all = series.get(missing.key) ?? [];
      const [like] = (all.find(({ key }) => key === chosen[missing.key]) ?? all[0])?.records ?? [];
      const limit = /(?:^|\/)first=(\d+)/.exec(like?.protocol ?? '')?.[1];
      const kind = metrics[metric].reads;
      return {
        ...plan,
        models: keys,
        metrics: [metric],
        data: like ? { ...plan.data, [kind]: like.data } : plan.data,
        limit: like ? (limit === undefined ? null : Number(limit)) : plan.limit,
        speed: null,
      };
    }
    const [like] =
      (benchSeries.find(({ key }) => key === chosen.bench) ?? benchSeries[0])?.records ?? [];
    const { promptTokens, newTokens } = like?.request ?? { promptTokens: 128, newTokens: 64 };
    const percentile = missing.key === 'decode-p99' ? 'p99' : 'p50';
    return { ...plan, models: keys, metrics: [], speed: { promptTokens, newTokens, percentile } };
  };
  const measure = async (): Promise<void> => {
    const { evaluations, benches } = requestsOf(planned(), known ?? []);
    if (evaluations.length > 0) await measurements.evaluate(evaluations);
    if (benches.length > 0) await measurements.bench(benches);
  };
  const names = missing.points.slice(0, namesShown).map(({ model }) => model.name);
  const others = missing.points.length - names.length;
  return (
    <div className={classes.missing}>
      <p>{missingText(missing)}</p>
      <p className={classes.names}>
        {names.join(', ')}
        {others > 0 && ` and ${others} more`}
      </p>
      {source !== 'price' && source !== 'model' && (
        <Button
          size="xs"
          variant="default"
          disabled={!isConnected}
          onClick={() => void measure()}
          aria-label={`Measure ${title} of ${missing.points.length}`}
        >
          Measure {missing.points.length === 1 ? 'it' : 'them'}
        </Button>
      )}
    </div>
  );
}
