import { Button } from '@mantine/core';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { OpenFolder } from '../OpenFolder.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Compare.module.css';
import { ComparisonContext, useComparison, useJoined } from './comparison.ts';
import { Goals } from './Goals.tsx';
import { Header } from './Header.tsx';
import { Lower } from './Lower.tsx';
import { MeasuredWith } from './MeasuredWith.tsx';
import { MeasureDialog } from './MeasureDialog.tsx';
import { MeasuringJobs } from './MeasuringJobs.tsx';
import { MissingValues } from './MissingValues.tsx';
import { Scatter } from './Scatter.tsx';
import side from './Side.module.css';

/** What every model costs and what it is worth: the trade-off, and the figures behind it. */
export function Compare() {
  const { measurements, models } = useStudio();
  const comparison = useJoined();
  const failure = usePart(measurements.store, (state) => state.failure);
  const isUnmeasured = usePart(
    measurements.store,
    ({ evaluations, benches }) => evaluations?.length === 0 && benches?.length === 0,
  );
  const hasModels = usePart(models.store, (state) => state.models?.length !== 0);
  return (
    <ComparisonContext value={comparison}>
      <div className={classes.view}>
        <Header />
        <div>
          {failure && (
            <ErrorPanel
              failure={failure}
              steps={[
                { label: 'Dismiss', run: () => measurements.dismissFailure() },
                { label: 'Ask again', run: () => void measurements.load() },
              ]}
            />
          )}
        </div>
        {isUnmeasured || !hasModels ? (
          <Unmeasured hasModels={hasModels} />
        ) : (
          <div className={classes.body}>
            <Scatter />
            <aside className={`${side.side} ${classes.side}`}>
              <MeasuringJobs />
              <Goals />
              <MissingValues />
              <MeasuredWith />
            </aside>
            <Lower />
          </div>
        )}
        <MeasureDialog />
      </div>
    </ComparisonContext>
  );
}

/** Before anything was measured. */
function Unmeasured({ hasModels }: { hasModels: boolean }) {
  const { compare } = useStudio();
  const { points } = useComparison();
  return (
    <div className={classes.empty}>
      {hasModels ? (
        <Empty
          action={
            <Button
              variant="default"
              onClick={() => compare.openMeasure(points.slice(0, 8).map(({ key }) => key))}
            >
              Measure…
            </Button>
          }
        >
          Every model becomes a point of quality against speed or size, as soon as both were
          measured; a model and its variants show what compressing costs.
        </Empty>
      ) : (
        <Empty action={<OpenFolder />}>
          Every model becomes a point of quality against speed or size; open a model first.
        </Empty>
      )}
      <aside className={side.side}>
        <MeasuringJobs />
      </aside>
    </div>
  );
}
