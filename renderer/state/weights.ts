import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  EngineClient,
  LinearFacts,
  ModelRecord,
  Neighbours,
  Weights,
} from '../../preload/contract/index.ts';
import { modelKey } from './models.ts';

export interface WeightsState {
  /** Key of the model compared with; null for the one that the model was made from. */
  readonly against: string | null;
  /** A linear layer; where the model has no such, and for null, the first. */
  readonly layer: string | null;
  /** Text whose first token is looked for among the embeddings. */
  readonly search: string;
}

/** The matrices of a model as numbers. */
export interface WeightsStore {
  readonly store: StoreApi<WeightsState>;
  change(part: Partial<WeightsState>): void;
  /** Lets go of a model that is gone. */
  adopt(models: readonly ModelRecord[]): void;
  linears(model: string): Promise<readonly LinearFacts[]>;
  weights(model: string, layer: string, against: string | null): Promise<Weights>;
  neighbours(model: string, token: number | string): Promise<Neighbours>;
}

export function createWeights(client: EngineClient): WeightsStore {
  const store = createStore<WeightsState>(() => ({
    against: null,
    layer: null,
    search: ' little',
  }));
  return {
    store,
    change: (part) => store.setState(part),
    adopt(models) {
      const { against } = store.getState();
      if (!models.some((record) => modelKey(record) === against)) store.setState({ against: null });
    },
    linears: (model) => client.models.linears({ model }),
    weights: (model, layer, against) =>
      client.inspect.weights({ model, layer, ...(against !== null && { against }) }),
    neighbours: (model, token) => client.inspect.neighbours({ model, token, count: 20 }),
  };
}
