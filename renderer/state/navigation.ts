import { createStore, type StoreApi } from 'zustand/vanilla';
import { readStored, type Memory } from './memory.ts';

/** The views that work, in the order of the rail and of the keys that open them. */
export const views = [
  'library',
  'playground',
  'inspect',
  'compress',
  'compare',
  'bench',
  'settings',
] as const;
export type ViewName = (typeof views)[number];

export interface NavigationState {
  readonly view: ViewName;
  /** The one dialog that may be open over the view. */
  readonly dialog: 'folder' | 'shortcuts' | null;
  readonly historyOpen: boolean;
  /** Whether streamed text is coloured by probability. */
  readonly colored: boolean;
}

export interface Navigation {
  readonly store: StoreApi<NavigationState>;
  go(view: ViewName): void;
  open(dialog: NavigationState['dialog']): void;
  toggleHistory(): void;
  toggleColored(): void;
}

/** Where the user is, and what of it is shown. */
export function createNavigation(memory: Memory): Navigation {
  const { historyOpen = true, colored = true } = readStored<NavigationState>(memory, 'navigation');
  const store = createStore<NavigationState>(() => ({
    view: 'playground',
    dialog: null,
    historyOpen,
    colored,
  }));
  store.subscribe((state) => memory.write('navigation', state));
  return {
    store,
    go: (view) => store.setState({ view, dialog: null }),
    open: (dialog) => store.setState({ dialog }),
    toggleHistory: () => store.setState((state) => ({ historyOpen: !state.historyOpen })),
    toggleColored: () => store.setState((state) => ({ colored: !state.colored })),
  };
}
