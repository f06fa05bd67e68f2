import { ActionIcon, Button, Progress, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import type { Job } from '../../../preload/contract/index.ts';
import type { BenchSummary } from '../../state/bench.ts';
import { isActive, queueProgress } from '../../state/job.ts';
import { Dot } from '../../ui/Dot.tsx';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { formatCount, formatRemaining } from '../../ui/format.ts';
import { offerUndo } from '../../ui/notify.tsx';
import { JobLog } from '../compress/JobLog.tsx';
import { jobStates } from '../compress/jobWords.ts';
import { shortName } from '../modelNames.ts';
import { useStudio } from '../studioContext.ts';
import classes from './Jobs.module.css';

interface BenchJobsProps {
  measurements: readonly BenchSummary[];
  details: Readonly<Record<string, Job>>;
}

/** Measurements that run, wait, or did not come to their end, the next one first. */
export function BenchJobs({ measurements, details }: BenchJobsProps) {
  const { jobs } = useStudio();
  const open = measurements.filter(({ state }) => state !== 'finished').toReversed();
  const active = open.filter(isActive);
  if (open.length === 0) return null;
  const { fraction } = queueProgress(active);
  /** The last one first, so that none begins meanwhile. */
  const cancelAll = async (): Promise<void> => {
    for (const { id } of active.toReversed()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      await jobs.cancel(id);
    }
  };
  return (
    <section aria-label="Queue" className={classes.queue}>
      {active.length > 1 && (
        <div className={classes.whole}>
          <h2>
            {formatCount(active.length)} in the queue · {Math.floor(fraction * 100)} %
          </h2>
          <Button size="xs" variant="default" onClick={() => void cancelAll()}>
            Cancel all
          </Button>
        </div>
      )}
      {open.map((job) => (
        <BenchJob key={job.id} job={job} detail={details[job.id]} />
      ))}
    </section>
  );
}

function BenchJob({ job, detail }: { job: BenchSummary; detail: Job | undefined }) {
  const { jobs, bench, measurements } = useStudio();
  const { id, model, state, progress, error, request } = job;
  const { text, dot } = jobStates[state];
  const remaining = progress?.remainingMs;
  const log = detail?.log ?? [];
  const remove = (): void => {
    jobs.remove(id);
    offerUndo({
      message: `Measurement of ${model} removed`,
      undo: () => jobs.undo(id),
      settle: () => void jobs.settle(id),
    });
  };
  const again = async (): Promise<void> => {
    const ids = await measurements.bench([request]);
    if (ids.length > 0) await jobs.load();
  };
  return (
    <article aria-label={`Measurement of ${model}`} className={classes.job}>
      <div className={classes.top}>
        <h3 title={model}>{shortName(model)}</h3>
        <span className={classes.state}>
          <Dot kind={dot} />
          {text}
        </span>
        <span className={classes.doing}>
          {state === 'running' &&
            [
              progress?.detail ?? 'Starting',
              remaining !== undefined && `${formatRemaining(remaining)} left`,
            ]
              .filter(Boolean)
              .join(' · ')}
        </span>
        {isActive(job) ? (
          <Button size="xs" variant="default" onClick={() => void jobs.cancel(id)}>
            Cancel
          </Button>
        ) : (
          <>
            {state === 'interrupted' && (
              <Button size="xs" onClick={() => void jobs.resume(id)}>
                Resume
              </Button>
            )}
            <Tooltip label="Remove from the list">
              <ActionIcon aria-label={`Remove the measurement of ${model}`} onClick={remove}>
                <IconTrash size={14} stroke={1.5} />
              </ActionIcon>
            </Tooltip>
          </>
        )}
      </div>
      {state === 'running' && (
        <Progress
          size={4}
          value={(progress?.fraction ?? 0) * 100}
          aria-label={`Progress of the measurement of ${model}`}
        />
      )}
      {state === 'failed' && error && (
        <ErrorPanel
          failure={error}
          steps={[
            { label: 'Measure again', run: () => void again() },
            {
              label: 'Take its set-up',
              run: () => {
                const { model: key, ...rest } = request;
                bench.change({ ...rest, models: [key] });
              },
            },
          ]}
        />
      )}
      {state === 'interrupted' && (
        <p className={classes.note}>
          {error ? `${error.message}. ` : 'The engine stopped while this ran. '}
          Resume measures it anew: half a measurement is none.
        </p>
      )}
      {state === 'cancelled' && <p className={classes.note}>Cancelled; nothing was kept of it.</p>}
      {log.length > 0 && (
        <details className={classes.log}>
          <summary>{log.at(-1)?.text}</summary>
          <JobLog name={`${model}-bench`} log={log} />
        </details>
      )}
    </article>
  );
}
