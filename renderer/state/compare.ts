import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Goal } from './goals.ts';
import { readStored, type Memory } from './memory.ts';
import { firstPlan, type MeasurePlan } from './measure.ts';
import type { SeriesChoice } from './points.ts';
import { isQuantityKey, type QuantityKey } from './quantities.ts';

/** What stands below the chart. */
export const compareTabs = ['table', 'parallel', 'text', 'history'] as const;
export type CompareTab = (typeof compareTabs)[number];

export interface Sort {
  readonly by: QuantityKey | 'name';
  readonly descending: boolean;
}

/** What part of an axis a value must lie in. */
export type Brush = readonly [low: number, high: number];

export interface CompareState {
  readonly x: QuantityKey;
  readonly y: QuantityKey;
  readonly chosen: SeriesChoice;
  readonly goals: readonly Goal[];
  /** Key of the model that goals like `98 % of the base` are meant of; null: the usual one. */
  readonly base: string | null;
  readonly tab: CompareTab;
  /** Quantities with a column in the table and an axis among the parallel ones. */
  readonly columns: readonly QuantityKey[];
  readonly sort: Sort;
  /** Keys of models; the same in chart, table and parallel axes. */
  readonly selected: ReadonlySet<string>;
  readonly brushes: Readonly<Partial<Record<QuantityKey, Brush>>>;
  /** What the dialog asks to be measured. */
  readonly plan: MeasurePlan;
  /** Which side of the dialog is open. */
  readonly measuring: 'models' | 'sweep' | null;
}

export interface Compare {
  readonly store: StoreApi<CompareState>;
  change(part: Partial<CompareState>): void;
  /** Selects these models alone; brushes that selected others go. */
  select(keys: Iterable<string>): void;
  toggle(key: string): void;
  /** Sorts by a column, or the other way round where it already does. */
  sortBy(by: Sort['by']): void;
  /** Opens the dialog with these models chosen. */
  openMeasure(models: readonly string[], part?: Partial<MeasurePlan>): void;
}

type Kept = Pick<
  CompareState,
  'x' | 'y' | 'chosen' | 'goals' | 'base' | 'tab' | 'columns' | 'sort' | 'plan'
>;

/** How the models are compared; what of it is a matter of taste is remembered. */
export function createCompare(memory: Memory): Compare {
  const stored = readStored<Kept>(memory, 'compare');
  const columns = stored.columns?.filter(isQuantityKey) ?? [];
  const store = createStore<CompareState>(() => ({
    x: isQuantityKey(stored.x) ? stored.x : 'decode-p50',
    y: isQuantityKey(stored.y) ? stored.y : 'quality:perplexity',
    chosen: stored.chosen ?? {},
    goals: stored.goals?.filter(({ key }) => isQuantityKey(key)) ?? [],
    base: stored.base ?? null,
    tab: compareTabs.find((tab) => tab === stored.tab) ?? 'table',
    columns:
      columns.length > 0
        ? columns
        : [
            'quality:perplexity',
            'quality:kl',
            'quality:top-1',
            'decode-p50',
            'bytes',
            'peak-memory',
          ],
    sort: stored.sort ?? { by: 'name', descending: false },
    selected: new Set(),
    brushes: {},
    plan: { ...firstPlan, ...stored.plan, models: [] },
    measuring: null,
  }));
  store.subscribe(({ x, y, chosen, goals, base, tab, columns: shown, sort, plan }) =>
    memory.write('compare', { x, y, chosen, goals, base, tab, columns: shown, sort, plan }),
  );
  return {
    store,
    change: (part) => store.setState(part),
    select: (keys) => store.setState({ selected: new Set(keys), brushes: {} }),
    toggle: (key) =>
      store.setState(({ selected }) => ({
        selected: selected.has(key)
          ? new Set([...selected].filter((other) => other !== key))
          : new Set([...selected, key]),
        brushes: {},
      })),
    sortBy: (by) =>
      store.setState(({ sort }) => ({
        sort: { by, descending: sort.by === by && !sort.descending },
      })),
    openMeasure: (models, part = {}) =>
      store.setState(({ plan }) => ({ plan: { ...plan, ...part, models }, measuring: 'models' })),
  };
}
