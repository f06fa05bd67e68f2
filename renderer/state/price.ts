import { createStore, type StoreApi } from 'zustand/vanilla';
import { costPerMillion } from '../../preload/contract/index.ts';
import { readStored, type Memory } from './memory.ts';

export interface PriceState {
  /** What an hour of the machine costs, in whatever money; null until someone has said. */
  readonly perHour: number | null;
}

export interface Price {
  readonly store: StoreApi<PriceState>;
  /** null forgets it. */
  set(perHour: number | null): void;
}

/** The price that costs are reckoned with, remembered between starts. */
export function createPrice(memory: Memory): Price {
  const { perHour } = readStored<PriceState>(memory, 'price');
  const store = createStore<PriceState>(() => ({ perHour: isPrice(perHour) ? perHour : null }));
  return {
    store,
    set(next) {
      const state = { perHour: isPrice(next) ? next : null };
      store.setState(state);
      memory.write('price', state);
    },
  };
}

const isPrice = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

/** What a million tokens cost, as the contract reckons it; null without a price. */
export const costOf = (tokensPerSecond: number, { perHour }: PriceState): number | null =>
  perHour === null ? null : costPerMillion(tokensPerSecond, perHour);
