import { Button } from '@mantine/core';
import type { JobLogEntry } from '../../../preload/contract/index.ts';
import { saveText } from '../../ui/save.ts';
import tableClasses from './LayerTable.module.css';
import classes from './Jobs.module.css';

interface JobLogProps {
  name: string;
  log: readonly JobLogEntry[];
}

/** What a job did, line by line. */
export function JobLog({ name, log }: JobLogProps) {
  if (log.length === 0) return <p className={classes.note}>Nothing has been written yet.</p>;
  const lines = log.map(({ at, text }) => `${new Date(at).toLocaleTimeString('en-GB')}  ${text}`);
  return (
    <>
      <div className={tableClasses.tools}>
        <Button
          size="xs"
          variant="default"
          onClick={() =>
            saveText(
              `${name.replaceAll(/[^\w.+-]+/g, '-')}.log`,
              'text/plain',
              `${lines.join('\n')}\n`,
            )
          }
        >
          Save log
        </Button>
      </div>
      <pre role="log" aria-label={`Log of ${name}`} className={classes.log}>
        {lines.join('\n')}
      </pre>
    </>
  );
}
