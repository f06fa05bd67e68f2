import { Button, Select, Tooltip } from '@mantine/core';
import { IconPlayerPlayFilled } from '@tabler/icons-react';
import { useState } from 'react';
import { modelKey } from '../../state/models.ts';
import { keyNames } from '../../state/shortcuts.ts';
import { sweepSize } from '../../state/sweep.ts';
import { formatBytes, formatCount, formatParameters } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Header.module.css';

/** The model that is cut down, and the button that does it. */
export function Header() {
  const { models, recipe } = useStudio();
  const chosen = usePart(recipe.store, (state) => state.model);
  const known = usePart(models.store, (state) => state.models);
  const current = known?.find((record) => modelKey(record) === chosen);
  return (
    <header className={classes.header}>
      <h1>Compress</h1>
      <Select
        aria-label="Model to compress"
        className={classes.picker}
        placeholder={known === null ? 'Looking for models …' : 'Choose a model'}
        value={current ? chosen : null}
        data={(known ?? []).map((record) => ({ value: modelKey(record), label: record.name }))}
        searchable={(known?.length ?? 0) > 8}
        nothingFoundMessage="No model has this name"
        onChange={(model) => recipe.setModel(model)}
      />
      {current && (
        <span className={classes.facts}>
          <span>{formatParameters(current.parameters)} parameters</span>
          <span>{formatBytes(current.bytes)}</span>
          <span>{current.precision}</span>
          <span>{formatCount(current.contextLength)} context</span>
        </span>
      )}
      <Run isReady={current !== undefined} />
    </header>
  );
}

function Run({ isReady }: { isReady: boolean }) {
  const studio = useStudio();
  const { recipe, connection, host } = studio;
  const isRight = usePart(recipe.store, ({ reading }) => reading.kind === 'right');
  const count = usePart(recipe.store, ({ axes }) => sweepSize(axes));
  const isConnected = usePart(connection, (state) => state.connection.kind === 'ready');
  const [isAsking, setAsking] = useState(false);
  const run = async (): Promise<void> => {
    setAsking(true);
    await studio.runRecipe();
    setAsking(false);
  };
  const keys = keyNames({ key: 'Enter', mod: true }, host.mac).join(' ');
  return (
    <Tooltip label={isRight ? `Queue it (${keys})` : 'The recipe is not complete yet'}>
      <Button
        className={classes.run}
        leftSection={<IconPlayerPlayFilled size={14} aria-hidden="true" />}
        disabled={!isReady || !isRight || !isConnected || isAsking}
        onClick={() => void run()}
      >
        {count > 1 ? `Run ${formatCount(count)} recipes` : 'Run recipe'}
      </Button>
    </Tooltip>
  );
}
