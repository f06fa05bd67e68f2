/** Whether less or more of it is better. */
export type Better = 'lower' | 'higher';

/**
 * The points that no other beats: none is at least as good on both axes and better on one. In order
 * of x; of points with equal values all are kept.
 */
export function paretoFront<Item>(
  items: readonly Item[],
  x: (item: Item) => number,
  y: (item: Item) => number,
  better: { readonly x: Better; readonly y: Better },
): Item[] {
  const costX = (item: Item): number => (better.x === 'lower' ? x(item) : -x(item));
  const costY = (item: Item): number => (better.y === 'lower' ? y(item) : -y(item));
  const sorted = items.toSorted((a, b) => costX(a) - costX(b) || costY(a) - costY(b));
  const front: Item[] = [];
  let bestX = Number.NaN;
  let bestY = Infinity;
  for (const item of sorted) {
    const isEqual = costX(item) === bestX && costY(item) === bestY;
    if (costY(item) >= bestY && !isEqual) continue;
    front.push(item);
    bestX = costX(item);
    bestY = costY(item);
  }
  return front.toSorted((a, b) => x(a) - x(b));
}
