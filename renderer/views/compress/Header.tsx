import { Button, Tooltip } from '@mantine/core';
import { IconPlayerPlayFilled } from '@tabler/icons-react';
import { useState } from 'react';
import { modelKey } from '../../state/models.ts';
import { keyNames } from '../../state/shortcuts.ts';
import { sweepSize } from '../../state/sweep.ts';
import { formatCount } from '../../ui/format.ts';
import { ViewHead } from '../../ui/ViewHead.tsx';
import { modelFacts, ModelSelect } from '../ModelSelect.tsx';
import { usePart, useStudio } from '../studioContext.ts';

/** The model that is cut down, and the button that does it. */
export function Header() {
  const { models, recipe } = useStudio();
  const chosen = usePart(recipe.store, (state) => state.model);
  const known = usePart(models.store, (state) => state.models);
  const current = known?.find((record) => modelKey(record) === chosen);
  return (
    <ViewHead
      title="Compress"
      facts={current ? modelFacts(current) : []}
      action={<Run isReady={current !== undefined} />}
    >
      <ModelSelect
        label="Model to compress"
        value={chosen}
        onChange={(model) => recipe.setModel(model)}
      />
    </ViewHead>
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
        leftSection={<IconPlayerPlayFilled size={14} aria-hidden="true" />}
        disabled={!isReady || !isRight || !isConnected || isAsking}
        onClick={() => void run()}
      >
        {count > 1 ? `Run ${formatCount(count)} recipes` : 'Run recipe'}
      </Button>
    </Tooltip>
  );
}
