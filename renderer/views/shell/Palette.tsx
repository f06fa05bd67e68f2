import { Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { commandsOf, type Command } from '../../state/commands.ts';
import { keyNames } from '../../state/shortcuts.ts';
import { Keys } from '../../ui/Keys.tsx';
import { useStudio } from '../studioContext.ts';
import classes from './Palette.module.css';

/** Every command by name. */
export function Palette() {
  const studio = useStudio();
  const [commands, setCommands] = useState<readonly Command[]>([]);

  const groups = Map.groupBy(commands, ({ group }) => group);
  const actions = [...groups].map(([group, members]): SpotlightActionGroupData => ({
    group,
    actions: members.map(({ id, title, shortcut, run }) => ({
      id,
      label: title,
      keywords: [group],
      onClick: run,
      ...(shortcut && {
        rightSection: <Keys names={keyNames(shortcut, studio.host.mac)} />,
      }),
    })),
  }));
  return (
    <Spotlight
      actions={actions}
      shortcut={null}
      scrollable
      attributes={{ content: { 'aria-label': 'Commands' } }}
      scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}
      maxHeight={400}
      classNames={{ ...classes }}
      transitionProps={{ duration: 0 }}
      overlayProps={{ backgroundOpacity: 0.4, blur: 0 }}
      onSpotlightOpen={() => setCommands(commandsOf(studio))}
      nothingFound="No command has this name."
      highlightQuery
      searchProps={{
        leftSection: <IconSearch size={16} stroke={1.5} />,
        placeholder: 'Find a command, a model, a preset …',
        'aria-label': 'Find a command',
      }}
    />
  );
}
