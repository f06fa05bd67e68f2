import { useState } from 'react';
import { visibleJobs } from '../../state/jobs.ts';
import { Empty } from '../../ui/Empty.tsx';
import { OpenFolder } from '../OpenFolder.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Compress.module.css';
import { Header } from './Header.tsx';
import { JobsPanel } from './JobsPanel.tsx';
import { PlanPane } from './PlanPane.tsx';
import { RecipePane } from './RecipePane.tsx';

/** Where a model is cut down: the recipe, what it will do, and the jobs that do it. */
export function Compress() {
  const { models, jobs } = useStudio();
  const isEmpty = usePart(models.store, (state) => state.models?.length === 0);
  const hasJobs = usePart(jobs.store, (state) => visibleJobs(state).length > 0);
  const [isLarge, setLarge] = useState(false);
  const size = hasJobs ? (isLarge ? 'large' : 'open') : 'none';
  return (
    <div className={classes.view} data-jobs={size}>
      <Header />
      {isEmpty ? (
        <Empty action={<OpenFolder />}>
          A recipe turns a model into a smaller variant of it; open a model first.
        </Empty>
      ) : (
        size !== 'large' && (
          <div className={classes.work}>
            <RecipePane />
            <PlanPane />
          </div>
        )
      )}
      <JobsPanel isLarge={isLarge} onResize={() => setLarge(!isLarge)} />
    </div>
  );
}
