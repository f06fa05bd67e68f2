import { Button } from '@mantine/core';
import { useMemo } from 'react';
import { benchJobs, canStart, shownIds } from '../../state/bench.ts';
import { visibleBenches } from '../../state/measurements.ts';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { shortName } from '../modelNames.ts';
import { usePart, useSlowly, useStudio } from '../studioContext.ts';
import { BenchJobs } from './BenchJobs.tsx';
import classes from './Results.module.css';
import { Results } from './Results.tsx';
import { RunTable } from './RunTable.tsx';
import { showAll } from './shown.ts';

/** What runs, what was measured, and the pictures of what is chosen of it. */
export function ResultsPane() {
  const { bench, colors, jobs, measurements } = useStudio();
  const jobState = useSlowly(jobs.store);
  const benchState = usePart(bench.store, (state) => state);
  const measured = usePart(measurements.store, (state) => state);
  const failure = measured.failure ?? jobState.failure;
  const active = benchJobs(jobState);
  const records = useMemo(() => visibleBenches(measured), [measured]);
  const list = jobState.jobs;
  // Progress changes the jobs many times a second, but not what is shown.
  const ids = shownIds(benchState, active, records).join();
  const shown = useMemo(
    () =>
      showAll(
        ids.split(',').flatMap((id) => records.find((record) => String(record.id) === id) ?? []),
        (model) => colors.of(model),
      ),
    [ids, records, colors],
  );
  const dismiss = (): void => {
    measurements.dismissFailure();
    jobs.dismissFailure();
  };
  return (
    <section aria-label="Results" className={classes.pane}>
      {failure && <ErrorPanel failure={failure} steps={[{ label: 'Dismiss', run: dismiss }]} />}
      <BenchJobs measurements={active} details={jobState.details} />
      {records.length > 0 && (
        <>
          <RunTable records={records} shown={shown} />
          <Results shown={shown} />
        </>
      )}
      {records.length === 0 && list !== null && measured.benches !== null && (
        <Empty action={active.length === 0 && <MeasureNow />}>
          {active.length > 0
            ? 'The first measurement appears here as soon as it is done.'
            : 'A bench tells how fast a model answers on this machine, how steadily, and what memory it takes.'}
        </Empty>
      )}
    </section>
  );
}

/** The one thing to do while nothing was measured. */
function MeasureNow() {
  const studio = useStudio();
  const known = usePart(studio.models.store, (state) => state.models) ?? [];
  const isReady = usePart(studio.bench.store, (state) => canStart(state, known));
  const [model] = usePart(studio.bench.store, ({ setup }) => setup.models);
  return (
    <Button variant="default" disabled={!isReady} onClick={() => void studio.runBench()}>
      Measure {model === undefined ? 'a model' : shortName(model)}
    </Button>
  );
}
