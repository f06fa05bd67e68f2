import { describe, expect, it } from 'vitest';
import { commandsOf, paletteShortcut } from '../../../renderer/state/commands.ts';
import { noMemory } from '../../../renderer/state/memory.ts';
import { keyNames, pressed, type KeyPress } from '../../../renderer/state/shortcuts.ts';
import { createStudio } from '../../../renderer/state/studio.ts';
import { createFakeEngine } from '../fakeEngine.ts';

const press = (key: string, part: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...part,
});

describe('shortcuts', () => {
  it('use Command on macOS and Control elsewhere', () => {
    expect(pressed(paletteShortcut, press('k', { ctrlKey: true }), false)).toBe(true);
    expect(pressed(paletteShortcut, press('k', { metaKey: true }), false)).toBe(false);
    expect(pressed(paletteShortcut, press('k', { metaKey: true }), true)).toBe(true);
    expect(pressed(paletteShortcut, press('k', { ctrlKey: true }), true)).toBe(false);
    expect(keyNames(paletteShortcut, true)).toEqual(['⌘', 'K']);
    expect(keyNames(paletteShortcut, false)).toEqual(['Ctrl', 'K']);
  });

  it('leave keys alone that carry another modifier', () => {
    const escape = { key: 'Escape' };
    expect(pressed(escape, press('Escape'), false)).toBe(true);
    expect(pressed(escape, press('Escape', { shiftKey: true }), false)).toBe(false);
    expect(pressed(paletteShortcut, press('k', { ctrlKey: true, altKey: true }), false)).toBe(
      false,
    );
  });
});

describe('commands', () => {
  const host = {
    mac: false,
    chooseFolder: null,
    openExternal: () => {},
    copy: () => Promise.resolve(),
  };
  const studio = createStudio(createFakeEngine(), {
    host,
    memory: noMemory,
    frame: (then) => then(),
  });

  it('have one name and one key each', () => {
    const commands = commandsOf(studio);
    const keys = commands.flatMap(({ shortcut }) =>
      shortcut ? [keyNames(shortcut, false).join(' ')] : [],
    );
    expect(new Set(commands.map(({ id }) => id)).size).toBe(commands.length);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toEqual([
      'Ctrl ⏎',
      'Ctrl 1',
      'Ctrl 2',
      'Ctrl 3',
      'Ctrl 4',
      'Ctrl 5',
      'Ctrl 6',
      'Ctrl 7',
      'Ctrl O',
      'Ctrl /',
    ]);
  });

  it('go to the view they name', () => {
    commandsOf(studio)
      .find(({ id }) => id === 'go-library')
      ?.run();
    expect(studio.navigation.store.getState().view).toBe('library');
  });

  it('run with one key what is in view: the prompt, or the recipe where models are cut down', () => {
    const runs = () =>
      commandsOf(studio).flatMap(({ id, shortcut }) => (shortcut?.key === 'Enter' ? [id] : []));
    studio.navigation.go('playground');
    expect(runs()).toEqual(['run']);
    studio.navigation.go('compress');
    expect(runs()).toEqual(['run-recipe']);
  });
});
