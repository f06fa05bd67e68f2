import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  BenchInput,
  BenchRecord,
  EngineClient,
  EvaluateInput,
  EvaluationRecord,
  SweepInput,
} from '../../preload/contract/index.ts';
import { toFailure, type Failure } from './failure.ts';

/** Names one measurement: its number counts within its kind. */
export interface MeasurementId {
  readonly kind: 'evaluation' | 'bench';
  readonly id: number;
}

export interface MeasurementsState {
  /** The newest first; null until the list was asked for. */
  readonly evaluations: readonly EvaluationRecord[] | null;
  /** The newest first; null until the list was asked for. */
  readonly benches: readonly BenchRecord[] | null;
  /** Measurements that are hidden, and gone for good once the offer to undo has passed. */
  readonly removing: readonly MeasurementId[];
  readonly failure: Failure | null;
}

export interface Measurements {
  readonly store: StoreApi<MeasurementsState>;
  /** Asks for both lists; asked while it is at it, it asks once more when it has them. */
  load(): Promise<void>;
  /** Queue jobs; they give the jobs' ids, none where the engine refused, which `failure` tells. */
  evaluate(requests: readonly EvaluateInput[]): Promise<readonly string[]>;
  bench(requests: readonly BenchInput[]): Promise<readonly string[]>;
  sweep(request: SweepInput): Promise<readonly string[]>;
  /** Milliseconds between tokens of a bench, in the order they came. */
  samples(id: number): Promise<Float64Array>;
  /** Hides a measurement; `settle` or `undo` decides over it. */
  remove(measurement: MeasurementId): void;
  undo(measurement: MeasurementId): void;
  settle(measurement: MeasurementId): Promise<void>;
  dismissFailure(): void;
}

/** What was measured of the models: quality, and speed with memory. */
export function createMeasurements(client: EngineClient): Measurements {
  const store = createStore<MeasurementsState>(() => ({
    evaluations: null,
    benches: null,
    removing: [],
    failure: null,
  }));
  const attempt = async (act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      store.setState({ failure: toFailure(error) });
    }
  };
  const start = async (ask: () => Promise<{ ids: string[] }>): Promise<readonly string[]> => {
    let queued: readonly string[] = [];
    store.setState({ failure: null });
    await attempt(async () => {
      queued = (await ask()).ids;
    });
    return queued;
  };

  let loading: Promise<void> | null = null;
  let isStale = false;
  const loadOnce = (): Promise<void> =>
    attempt(async () => {
      isStale = false;
      const [evaluations, benches] = await Promise.all([
        client.evaluations.list(),
        client.benches.list(),
      ]);
      store.setState(({ failure }) => ({
        evaluations,
        benches,
        failure: failure?.code === 'engine_lost' ? null : failure,
      }));
    });
  const loadUntilFresh = async (): Promise<void> => {
    await loadOnce();
    if (isStale) return loadUntilFresh();
    loading = null;
  };
  const load = (): Promise<void> => {
    isStale = true;
    loading ??= loadUntilFresh();
    return loading;
  };
  const without = ({ kind, id }: MeasurementId): readonly MeasurementId[] =>
    store.getState().removing.filter((other) => other.kind !== kind || other.id !== id);

  return {
    store,
    load,
    evaluate: (requests) => start(() => client.evaluations.start({ requests: [...requests] })),
    bench: (requests) => start(() => client.benches.start({ requests: [...requests] })),
    sweep: (request) => start(() => client.sweep(request)),
    samples: (id) => client.benches.samples({ id }),
    remove: (measurement) => store.setState({ removing: [...without(measurement), measurement] }),
    undo: (measurement) => store.setState({ removing: without(measurement) }),
    async settle(measurement) {
      if (!isRemoving(store.getState(), measurement)) return;
      await attempt(async () => {
        const calls = measurement.kind === 'bench' ? client.benches : client.evaluations;
        await calls.remove({ id: measurement.id });
        await load();
      });
      store.setState({ removing: without(measurement) });
    },
    dismissFailure: () => store.setState({ failure: null }),
  };
}

const isRemoving = ({ removing }: MeasurementsState, { kind, id }: MeasurementId): boolean =>
  removing.some((other) => other.kind === kind && other.id === id);

/** The measurements of quality that are not about to go. */
export const visibleEvaluations = (state: MeasurementsState): readonly EvaluationRecord[] =>
  visible(state, 'evaluation', state.evaluations ?? []);

/** The measurements of speed that are not about to go. */
export const visibleBenches = (state: MeasurementsState): readonly BenchRecord[] =>
  visible(state, 'bench', state.benches ?? []);

/** The same list while nothing of it is about to go, so that who compares sees no change. */
const visible = <Record extends { readonly id: number }>(
  state: MeasurementsState,
  kind: MeasurementId['kind'],
  records: readonly Record[],
): readonly Record[] =>
  state.removing.length === 0
    ? records
    : records.filter(({ id }) => !isRemoving(state, { kind, id }));
