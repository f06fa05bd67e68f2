import { Modal } from '@mantine/core';
import { commandsOf, paletteShortcut } from '../../state/commands.ts';
import { keyNames, type Shortcut } from '../../state/shortcuts.ts';
import { Keys } from '../../ui/Keys.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './ShortcutsDialog.module.css';

const inOutput: readonly (readonly [title: string, shortcut: Shortcut])[] = [
  ['Next or previous token', { key: '← →' }],
  ['Alternatives of a token', { key: 'Enter' }],
];

/** All keys on one sheet. */
export function ShortcutsDialog() {
  const studio = useStudio();
  const open = usePart(studio.navigation.store, ({ dialog }) => dialog === 'shortcuts');
  const commands = commandsOf(studio).flatMap(({ title, shortcut }) =>
    shortcut ? [[title, shortcut] as const] : [],
  );
  // Stop is a command only while something runs, but its key is worth knowing before.
  const stop = ['Stop', { key: 'Escape' }] as const;
  const rows = [['Find a command', paletteShortcut] as const, ...commands, stop, ...inOutput];
  const unique = new Map(rows);
  return (
    <Modal
      opened={open}
      onClose={() => studio.navigation.open(null)}
      title="Keyboard shortcuts"
      size={448}
    >
      <dl className={classes.list}>
        {[...unique].map(([title, shortcut]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>
              <Keys names={keyNames(shortcut, studio.host.mac)} />
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
