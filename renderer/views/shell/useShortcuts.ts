import { spotlight } from '@mantine/spotlight';
import { useEffect } from 'react';
import { commandsOf, paletteShortcut } from '../../state/commands.ts';
import { pressed } from '../../state/shortcuts.ts';
import { useStudio } from '../studioContext.ts';

/** Runs commands by key. Listens before the editor does, which has meanings of its own for some. */
export function useShortcuts(): void {
  const studio = useStudio();
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.isComposing) return;
      const { mac } = studio.host;
      if (pressed(paletteShortcut, event, mac)) {
        event.preventDefault();
        event.stopPropagation();
        spotlight.toggle();
        return;
      }
      const command = commandsOf(studio).find(
        ({ shortcut }) => shortcut && pressed(shortcut, event, mac),
      );
      if (!command) return;
      // A window over the studio keeps its keys; anything open is closed by Escape before a run is.
      const over = command.shortcut?.key === 'Escape' ? '[role="dialog"]' : '[aria-modal="true"]';
      if (document.querySelector(over) !== null) return;
      event.preventDefault();
      event.stopPropagation();
      command.run();
    };
    window.addEventListener('keydown', onKey, { capture: true });
    return () => window.removeEventListener('keydown', onKey, { capture: true });
  }, [studio]);
}
