import { Empty } from '../../ui/Empty.tsx';
import { OpenFolder } from '../OpenFolder.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Bench.module.css';
import { Header } from './Header.tsx';
import { ResultsPane } from './ResultsPane.tsx';
import { SetupPane } from './SetupPane.tsx';

/** Where speed and memory are measured: what to measure, and what came of it. */
export function Bench() {
  const { models } = useStudio();
  const isEmpty = usePart(models.store, (state) => state.models?.length === 0);
  return (
    <div className={classes.view}>
      <Header />
      {isEmpty ? (
        <Empty action={<OpenFolder />}>
          A bench tells how fast a model answers here and what memory it takes; open a model first.
        </Empty>
      ) : (
        <div className={classes.work}>
          <SetupPane />
          <ResultsPane />
        </div>
      )}
    </div>
  );
}
