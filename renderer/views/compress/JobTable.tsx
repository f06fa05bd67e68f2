import { Progress } from '@mantine/core';
import type { CompressSummary } from '../../../preload/contract/index.ts';
import { isActive } from '../../state/job.ts';
import { Dot } from '../../ui/Dot.tsx';
import { formatRemaining, formatWhen } from '../../ui/format.ts';
import { Table } from '../../ui/Table.tsx';
import { useStudio } from '../studioContext.ts';
import classes from './Jobs.module.css';
import { jobStates } from './jobWords.ts';

interface JobTableProps {
  jobs: readonly CompressSummary[];
  selected: string;
}

/** All jobs, the newest first. */
export function JobTable({ jobs, selected }: JobTableProps) {
  return (
    <div className={classes.list}>
      <Table kind="list" className={classes.jobs} aria-label="Jobs">
        <thead>
          <tr>
            <th scope="col">Variant</th>
            <th scope="col">State</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <Row key={job.id} job={job} selected={job.id === selected} />
          ))}
        </tbody>
      </Table>
    </div>
  );
}

function Row({ job, selected }: { job: CompressSummary; selected: boolean }) {
  const { jobs } = useStudio();
  const { text, dot } = jobStates[job.state];
  const select = (): void => jobs.select(job.id);
  const remaining = job.state === 'running' ? job.progress?.remainingMs : undefined;
  return (
    // The name is a button; the rest of the row only makes it easier to hit.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
    <tr className={classes.row} aria-selected={selected} onClick={select}>
      <td>
        <button
          type="button"
          className={classes.name}
          aria-label={job.name}
          title={job.name}
          onClick={select}
        >
          <span>{job.name.slice(0, job.name.indexOf('/') + 1)}</span>
          <span>{job.name.slice(job.name.indexOf('/') + 1)}</span>
        </button>
      </td>
      <td>
        <span className={classes.state}>
          <Dot kind={dot} />
          {text}
        </span>
      </td>
      <td>
        {isActive(job) ? (
          <span className={classes.progress}>
            <Progress
              size={4}
              value={(job.progress?.fraction ?? 0) * 100}
              aria-label={`Progress of ${job.name}`}
            />
            <span>{remaining === undefined ? '' : formatRemaining(remaining)}</span>
          </span>
        ) : (
          <span className={classes.when}>{formatWhen(job.endedAt ?? job.createdAt)}</span>
        )}
      </td>
    </tr>
  );
}
