/** A key with its modifiers; `mod` is Command on macOS and Control elsewhere. */
export interface Shortcut {
  /** As `KeyboardEvent.key` names it, letters in lower case. */
  readonly key: string;
  readonly mod?: boolean;
  readonly shift?: boolean;
}

export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

/** Whether a key press is the shortcut, on macOS or elsewhere. */
export function pressed(shortcut: Shortcut, press: KeyPress, mac: boolean): boolean {
  const mod = mac ? press.metaKey : press.ctrlKey;
  const other = mac ? press.ctrlKey : press.metaKey;
  return (
    press.key.toLowerCase() === shortcut.key.toLowerCase() &&
    mod === (shortcut.mod ?? false) &&
    !other &&
    !press.altKey &&
    // Some layouts need Shift for a sign such as `?`; there the key already says so.
    (shortcut.key === '?' || press.shiftKey === (shortcut.shift ?? false))
  );
}

const names: Readonly<Record<string, string>> = { enter: '⏎', escape: 'Esc' };

/** The keys as they are written on a keyboard: `['Ctrl', 'K']`. */
export function keyNames({ key, mod, shift }: Shortcut, mac: boolean): string[] {
  const name = names[key.toLowerCase()] ?? key.toUpperCase();
  return [...(mod ? [mac ? '⌘' : 'Ctrl'] : []), ...(shift ? [mac ? '⇧' : 'Shift'] : []), name];
}
