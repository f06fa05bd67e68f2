import { ActionIcon, Tooltip } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Header.module.css';
import { ModelPicker } from './ModelPicker.tsx';

/** Which model, and whether the history is shown. */
export function Header() {
  const { navigation } = useStudio();
  const historyOpen = usePart(navigation.store, (state) => state.historyOpen);
  const label = historyOpen ? 'Hide history' : 'Show history';
  return (
    <header className={classes.header}>
      <h1>Playground</h1>
      <Tooltip label={label}>
        <ActionIcon
          size="md"
          aria-label={label}
          aria-pressed={historyOpen}
          variant={historyOpen ? 'light' : 'subtle'}
          onClick={() => navigation.toggleHistory()}
        >
          <IconHistory size={16} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      <ModelPicker />
    </header>
  );
}
