import { ActionIcon, Button, Progress, Tooltip } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import type { JobSummary } from '../../../preload/contract/index.ts';
import { isActive, queueProgress } from '../../state/job.ts';
import { metricWords } from '../../state/quantities.ts';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { formatCount, formatRemaining } from '../../ui/format.ts';
import { useSlowly, useStudio } from '../studioContext.ts';
import classes from './Side.module.css';

const listed = 6;

/** What is being measured or made now, and what went wrong with it. */
export function MeasuringJobs() {
  const { jobs } = useStudio();
  const state = useSlowly(jobs.store);
  const all = state.jobs?.filter(({ id }) => !state.removing.has(id)) ?? [];
  // The first to run stands above; the list has the newest first.
  const active = all.filter(isActive).toReversed();
  const stuck = all.filter(
    (job) => job.kind !== 'compress' && (job.state === 'failed' || job.state === 'interrupted'),
  );
  if (active.length === 0 && stuck.length === 0) return null;
  const batch = all.filter(({ id }) => state.batch.includes(id));
  const { done, total, fraction } = queueProgress(batch);
  return (
    <section aria-label="Measuring" className={classes.section}>
      <div className={classes.heading}>
        <h2>{active.length > 0 ? 'Measuring' : 'Not finished'}</h2>
        {active.length > 0 && total > 1 && (
          <span className={classes.reached}>
            {formatCount(done)} of {formatCount(total)} done
          </span>
        )}
      </div>
      {active.length > 0 && total > 1 && (
        <Progress size={4} value={fraction * 100} aria-label="Progress of all queued jobs" />
      )}
      {active.slice(0, listed).map((job) => (
        <Active key={job.id} job={job} />
      ))}
      {active.length > listed && (
        <p className={classes.note}>and {formatCount(active.length - listed)} more</p>
      )}
      {stuck.map((job) => (
        <Stuck key={job.id} job={job} />
      ))}
    </section>
  );
}

function Active({ job }: { job: JobSummary }) {
  const { jobs } = useStudio();
  const remaining = job.progress?.remainingMs;
  const label = `Cancel ${whatOf(job)} of ${nameOf(job)}`;
  return (
    <div className={classes.job}>
      <div>
        <span className={classes.jobName}>{nameOf(job)}</span>
        <span className={classes.names}>
          {whatOf(job)}
          {job.state === 'queued' && ' · queued'}
          {remaining !== undefined && ` · ${formatRemaining(remaining)} left`}
        </span>
        {job.state === 'running' && (
          <Progress
            size={4}
            value={(job.progress?.fraction ?? 0) * 100}
            aria-label={`Progress of ${whatOf(job)} of ${nameOf(job)}`}
          />
        )}
      </div>
      <Tooltip label="Cancel">
        <ActionIcon aria-label={label} onClick={() => void jobs.cancel(job.id)}>
          <IconX size={14} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

function Stuck({ job }: { job: JobSummary }) {
  const { jobs } = useStudio();
  const forget = (): void => {
    jobs.remove(job.id);
    void jobs.settle(job.id);
  };
  if (job.state === 'interrupted')
    return (
      <div className={classes.missing}>
        <p>
          {whatOf(job)} of {nameOf(job)} was interrupted.
        </p>
        <div className={classes.buttons}>
          <Button size="xs" variant="default" onClick={() => void jobs.resume(job.id)}>
            Resume
          </Button>
          <Button size="xs" variant="subtle" onClick={forget}>
            Forget
          </Button>
        </div>
      </div>
    );
  return (
    <ErrorPanel
      failure={{
        code: 'internal',
        data: {},
        ...job.error,
        message: `${whatOf(job)} of ${nameOf(job)}: ${job.error?.message ?? 'it failed'}`,
      }}
      steps={[{ label: 'Dismiss', run: forget }]}
    />
  );
}

const nameOf = (job: JobSummary): string => (job.kind === 'compress' ? job.name : job.model);

function whatOf(job: JobSummary): string {
  switch (job.kind) {
    case 'compress':
      return 'Making the variant';
    case 'evaluate':
      return job.request.metrics.map((metric) => metricWords[metric].title).join(', ');
    case 'bench':
      return 'Speed and memory';
  }
}
