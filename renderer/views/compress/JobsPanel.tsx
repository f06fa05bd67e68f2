import { ActionIcon, Progress, Tooltip } from '@mantine/core';
import { IconArrowsDiagonal, IconArrowsDiagonalMinimize2 } from '@tabler/icons-react';
import { isActive, queueProgress } from '../../state/job.ts';
import { visibleJobs } from '../../state/jobs.ts';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { formatCount } from '../../ui/format.ts';
import { usePart, useSlowly, useStudio } from '../studioContext.ts';
import { JobDetail } from './JobDetail.tsx';
import classes from './Jobs.module.css';
import { JobTable } from './JobTable.tsx';

interface JobsPanelProps {
  isLarge: boolean;
  onResize: () => void;
}

/** The queue at the left, one job at the right. */
export function JobsPanel({ isLarge, onResize }: JobsPanelProps) {
  const { jobs } = useStudio();
  const state = useSlowly(jobs.store);
  const failure = usePart(jobs.store, (whole) => whole.failure);
  const shown = visibleJobs(state);
  const selected = shown.find(({ id }) => id === state.selected) ?? shown[0];
  const detail = selected && state.details[selected.id];
  const batch = shown.filter(({ id }) => state.batch.includes(id));
  const resizeLabel = isLarge ? 'Show the recipe again' : 'Give the jobs all the room';
  return (
    <section aria-label="Jobs" className={classes.panel}>
      <div className={classes.bar}>
        <h2>Jobs</h2>
        {batch.length > 1 && <Overall batch={batch} />}
        {shown.length === 0 && (
          <span className={classes.hint}>
            {state.jobs === null
              ? 'Looking for jobs …'
              : 'Run a recipe to make a variant; what it did to every layer appears here.'}
          </span>
        )}
        {shown.length > 0 && (
          <Tooltip label={resizeLabel}>
            <ActionIcon className={classes.resize} aria-label={resizeLabel} onClick={onResize}>
              {isLarge ? (
                <IconArrowsDiagonalMinimize2 size={14} stroke={1.5} />
              ) : (
                <IconArrowsDiagonal size={14} stroke={1.5} />
              )}
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      {failure && (
        <ErrorPanel
          failure={failure}
          steps={[{ label: 'Dismiss', run: () => jobs.dismissFailure() }]}
        />
      )}
      {selected && (
        <div className={classes.body}>
          <JobTable jobs={shown} selected={selected.id} />
          <JobDetail
            key={selected.id}
            summary={selected}
            job={detail?.kind === 'compress' ? detail : undefined}
          />
        </div>
      )}
    </section>
  );
}

/** How far the jobs that were queued together are. */
function Overall({ batch }: { batch: Parameters<typeof queueProgress>[0] }) {
  const { done, total, fraction } = queueProgress(batch);
  return (
    <span className={classes.overall}>
      <Progress
        className={classes.overallBar}
        size={4}
        value={fraction * 100}
        aria-label="Progress of all queued jobs"
      />
      {formatCount(done)} of {formatCount(total)} done
      {batch.some(isActive) && ` · ${Math.floor(fraction * 100)} %`}
    </span>
  );
}
