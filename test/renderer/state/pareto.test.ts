import { describe, expect, it } from 'vitest';
import { paretoFront, type Better } from '../../../renderer/state/pareto.ts';

type Pair = readonly [x: number, y: number];

const front = (points: readonly Pair[], x: Better, y: Better): Pair[] =>
  paretoFront(
    points,
    ([value]) => value,
    ([, value]) => value,
    { x, y },
  );

/** By the definition: kept is what nothing else beats. */
function slowFront(points: readonly Pair[], x: Better, y: Better): Pair[] {
  const signX = x === 'lower' ? 1 : -1;
  const signY = y === 'lower' ? 1 : -1;
  return points
    .filter(
      (a) =>
        !points.some(
          (b) =>
            b[0] * signX <= a[0] * signX &&
            b[1] * signY <= a[1] * signY &&
            (b[0] !== a[0] || b[1] !== a[1]),
        ),
    )
    .toSorted((a, b) => a[0] - b[0]);
}

/** Whole numbers below `limit`, the same every time; few of them, so that many are equal. */
const scattered = (count: number, limit: number): Pair[] =>
  Array.from({ length: count }, (_, index) => [
    (index * 7919 + 13) % limit,
    (index * 104_729 + ((index * index) % 17)) % limit,
  ]);

describe('the Pareto front', () => {
  it.each<readonly [Better, Better]>([
    ['lower', 'lower'],
    ['lower', 'higher'],
    ['higher', 'lower'],
    ['higher', 'higher'],
  ])('is what no point beats where %s and %s is better', (x, y) => {
    for (const limit of [5, 23, 1009]) {
      const points = scattered(300, limit);
      expect(front(points, x, y)).toEqual(slowFront(points, x, y));
    }
  });

  it('keeps points that are equal, and of a single axis only the best', () => {
    const points: Pair[] = [
      [1, 2],
      [1, 2],
      [1, 3],
      [2, 2],
    ];
    expect(front(points, 'lower', 'lower')).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(front([], 'lower', 'higher')).toEqual([]);
  });
});
