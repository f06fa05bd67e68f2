import { Button, Popover } from '@mantine/core';
import { IconTerminal2 } from '@tabler/icons-react';
import { commandLine } from '../../state/reproduce.ts';
import { tell } from '../../ui/notify.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Reproduce.module.css';

/** The command line that makes the same text. */
export function Reproduce() {
  const { host, generation } = useStudio();
  const request = usePart(generation.store, (state) =>
    state.kind === 'idle' ? null : state.run.request,
  );
  const seed = usePart(generation.store, (state) =>
    state.kind === 'idle' ? null : state.run.seed,
  );
  if (!request) return null;
  const line = commandLine(request, seed);
  const copy = async (): Promise<void> => {
    await host.copy(line);
    tell('Command copied');
  };
  return (
    <Popover position="bottom-end" width={520} trapFocus>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconTerminal2 size={14} aria-hidden="true" />}
        >
          Reproduce
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={classes.body}>
          <p>
            In the project’s folder, this makes the same text
            {seed === null ? '.' : ', with the seed that was drawn.'}
          </p>
          <pre aria-label="Command line">{line}</pre>
          <Button data-autofocus onClick={() => void copy()}>
            Copy command
          </Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
