import { Loader } from '@mantine/core';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './ConnectionBanner.module.css';

/** Says that the engine is away and what is done about it; nothing while all is well. */
export function ConnectionBanner() {
  const studio = useStudio();
  const { connection, wasReady } = usePart(studio.connection, (state) => state);
  if (connection.kind !== 'lost') return null;
  return (
    <output className={classes.banner}>
      <Loader size={14} color="var(--lathe-warn)" />
      <span>
        {wasReady
          ? 'The engine stopped and is being restarted. What you see here stays.'
          : 'The engine does not answer yet.'}
      </span>
      {connection.attempt > 1 && <span className={classes.attempt}>try {connection.attempt}</span>}
    </output>
  );
}
