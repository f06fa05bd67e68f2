import { Button } from '@mantine/core';
import { requestsOf } from '../../state/measure.ts';
import { canMeasure, missingText, notAskedFor, planLike } from '../../state/missing.ts';
import type { Missing } from '../../state/points.ts';
import { quantityOf } from '../../state/quantities.ts';
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
  const { measurements, models, jobs, compare, connection } = useStudio();
  const { series, benchSeries } = useComparison();
  const known = usePart(models.store, (state) => state.models);
  const plan = usePart(compare.store, (state) => state.plan);
  const chosen = usePart(compare.store, (state) => state.chosen);
  const isConnected = usePart(connection, (state) => state.connection.kind === 'ready');
  const all = usePart(jobs.store, (state) => state.jobs);
  const { title } = quantityOf(missing.key);
  const free = notAskedFor(missing, all ?? []);

  const measure = async (): Promise<void> => {
    const { evaluations, benches } = requestsOf(
      planLike(plan, { ...missing, points: free }, { series, benchSeries, chosen }),
      known ?? [],
    );
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
      {free.length < missing.points.length && (
        <p className={classes.names}>
          {missing.points.length - free.length} of them being measured
        </p>
      )}
      {canMeasure(missing) && free.length > 0 && (
        <Button
          size="xs"
          variant="default"
          disabled={!isConnected}
          onClick={() => void measure()}
          aria-label={`Measure ${title} of ${free.length}`}
        >
          Measure {free.length === 1 ? 'it' : 'them'}
        </Button>
      )}
    </div>
  );
}
