/** Where the window keeps small things between starts: the page's local storage, or none. */
export interface Memory {
  read(key: string): string | null;
  write(key: string, value: unknown): void;
}

/** Remembers nothing. */
export const noMemory: Memory = { read: () => null, write: () => {} };

/** Keeps values as JSON under `lathe.<key>`; writes at most every 300 ms. */
export function storageMemory(storage: Pick<Storage, 'getItem' | 'setItem'>): Memory {
  const waiting = new Map<string, unknown>();
  const flush = (): void => {
    for (const [key, value] of waiting) storage.setItem(`lathe.${key}`, JSON.stringify(value));
    waiting.clear();
  };
  return {
    read: (key) => storage.getItem(`lathe.${key}`),
    write(key, value) {
      if (waiting.size === 0) setTimeout(flush, 300);
      waiting.set(key, value);
    },
  };
}

/** An object remembered under `key`, or an empty one where nothing usable is. */
export function readStored<T extends object>(memory: Memory, key: string): Partial<T> {
  const text = memory.read(key);
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // Written by another version or cut short: starting afresh is what the user would do.
    return {};
  }
}
