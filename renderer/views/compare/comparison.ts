import { createContext, use, useMemo } from 'react';
import { lineOf, meets, type GoalLine } from '../../state/goals.ts';
import { baseOf } from '../../state/measure.ts';
import { visibleBenches, visibleEvaluations } from '../../state/measurements.ts';
import { paretoFront } from '../../state/pareto.ts';
import { joinPoints, split, type Missing, type Point, type PointSet } from '../../state/points.ts';
import { quantityOf, type QuantityKey } from '../../state/quantities.ts';
import { usePart, useStudio } from '../studioContext.ts';

/** What the whole view shows, reckoned once for all of its parts. */
export interface Comparison extends PointSet {
  /** Points that have a value on both axes. */
  readonly complete: readonly Point[];
  readonly missing: readonly Missing[];
  /** Keys of the points that none beats. */
  readonly front: ReadonlySet<string>;
  /** The model that goals like `98 % of the base` are meant of. */
  readonly base: Point | undefined;
  readonly lines: readonly GoalLine[];
  /** Keys of the points that reach all goals. */
  readonly reaching: ReadonlySet<string>;
  /** Models by family, in order: the place of one is its shape. */
  readonly families: readonly string[];
}

export const ComparisonContext = createContext<Comparison | null>(null);

export function useComparison(): Comparison {
  const comparison = use(ComparisonContext);
  if (!comparison) throw new Error('a part of Compare is drawn outside of it');
  return comparison;
}

/** Joins models and measurements anew whenever one of them changes. */
export function useJoined(): Comparison {
  const { models, measurements, price, compare } = useStudio();
  const known = usePart(models.store, (state) => state.models);
  const state = usePart(measurements.store, (whole) => whole);
  const prices = usePart(price.store, (whole) => whole);
  const chosen = usePart(compare.store, (whole) => whole.chosen);
  const x = usePart(compare.store, (whole) => whole.x);
  const y = usePart(compare.store, (whole) => whole.y);
  const goals = usePart(compare.store, (whole) => whole.goals);
  const chosenBase = usePart(compare.store, (whole) => whole.base);
  const evaluations = visibleEvaluations(state);
  const benches = visibleBenches(state);

  const set = useMemo(
    () => joinPoints({ models: known ?? [], evaluations, benches, price: prices, chosen }),
    [known, evaluations, benches, prices, chosen],
  );
  return useMemo(() => {
    const { complete, missing } = split(set.points, x, y);
    const valueOf =
      (key: QuantityKey) =>
      ({ values }: Point): number =>
        values.get(key)?.value ?? Number.NaN;
    const better = { x: quantityOf(x).better, y: quantityOf(y).better };
    const front = paretoFront(complete, valueOf(x), valueOf(y), better);
    const base =
      set.points.find(({ key }) => key === chosenBase) ?? usualBase(set.points, known ?? []);
    const lines = goals.flatMap((goal) => lineOf(goal, base) ?? []);
    const isReached = goals.length > 0 && lines.length === goals.length;
    return {
      ...set,
      complete,
      missing,
      front: new Set(front.map(({ key }) => key)),
      base,
      lines,
      reaching: new Set(
        isReached
          ? set.points.filter((point) => meets(point, lines) === true).map(({ key }) => key)
          : [],
      ),
      families: [...new Set(set.points.map(({ family }) => family))],
    };
  }, [set, x, y, goals, chosenBase, known]);
}

/** The model that most of the measured variants go back to. */
function usualBase(
  points: readonly Point[],
  known: Parameters<typeof baseOf>[1],
): Point | undefined {
  const counts = new Map<string, number>();
  for (const { key, values } of points) {
    const base = baseOf(key, known) ?? key;
    // One value, the file size, every model has.
    counts.set(base, (counts.get(base) ?? 0) + (values.size > 1 ? 1 : 0));
  }
  const [usual] = [...counts].toSorted(([, a], [, b]) => b - a);
  return points.find(({ key }) => key === usual?.[0]);
}
