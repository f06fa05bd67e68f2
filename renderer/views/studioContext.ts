import { createContext, use, useEffect, useState } from 'react';
import { useStore } from 'zustand';
import type { StoreApi } from 'zustand/vanilla';
import type { Studio } from '../state/studio.ts';

export const StudioContext = createContext<Studio | null>(null);

/** The studio that the page shows. */
export function useStudio(): Studio {
  const studio = use(StudioContext);
  if (!studio) throw new Error('a view is drawn outside the studio');
  return studio;
}

/** A part of a store, drawn anew when it changes. */
export function usePart<State, Part>(store: StoreApi<State>, select: (state: State) => Part): Part {
  return useStore(store, select);
}

/** How often figures that change with every token are drawn: faster cannot be read. */
const slowlyMs = 100;

/** The whole of a store, drawn anew at most ten times a second; its last state is always drawn. */
export function useSlowly<State>(store: StoreApi<State>): State {
  const [state, setState] = useState(() => store.getState());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const show = (): void => {
      timer = null;
      setState(() => store.getState());
    };
    show();
    const unsubscribe = store.subscribe(() => {
      timer ??= setTimeout(show, slowlyMs);
    });
    return () => {
      unsubscribe();
      if (timer !== null) clearTimeout(timer);
    };
  }, [store]);
  return state;
}
