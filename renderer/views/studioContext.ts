import { createContext, use } from 'react';
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
