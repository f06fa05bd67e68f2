import { totalWeight, type Candidates } from './candidates.ts';

/**
 * Positions of the `count` largest of the first `size` values, best first; of equal values the
 * lower position is the better. One pass with a heap of the best so far: O(size · log count) at
 * worst, near O(size) for the counts in use, and nothing is sorted that is not kept.
 */
export function largestPositions(
  values: Float32Array | Float64Array,
  size: number,
  count: number,
): Int32Array {
  const heap = new Int32Array(Math.min(count, size));
  let length = 0;
  // The root is the worst of the best: a smaller value, or an equal one further back.
  const worse = (a: number, b: number): boolean =>
    values[a] < values[b] || (values[a] === values[b] && a > b);
  const sink = (position: number, end: number): void => {
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= end) break;
      if (child + 1 < end && worse(heap[child + 1], heap[child])) child += 1;
      if (!worse(heap[child], position)) break;
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = position;
  };
  for (let position = 0; position < size; position += 1) {
    if (length === heap.length) {
      // Later positions lose ties, so only a larger value gets in.
      if (length > 0 && values[position] > values[heap[0]]) sink(position, length);
      continue;
    }
    let hole = length;
    length += 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!worse(position, heap[parent])) break;
      heap[hole] = heap[parent];
      hole = parent;
    }
    heap[hole] = position;
  }
  // Taking the worst off the heap again and again sorts it from the back.
  for (let end = length - 1; end > 0; end -= 1) {
    const worst = heap[0];
    sink(heap[end], end);
    heap[end] = worst;
  }
  return heap;
}

/**
 * The position that completes a share `share` (0…1) of the weight when candidates are taken in
 * order of `candidates.keys`, largest first and lower position first among equals: the last one of
 * the smallest such set. Quickselect that weighs instead of counting: O(size) on average.
 */
export function positionCompleting(candidates: Candidates, share: number): number {
  const { size, keys, weights, order } = candidates;
  for (let i = 0; i < size; i += 1) order[i] = i;
  const before = (a: number, b: number): boolean =>
    keys[a] > keys[b] || (keys[a] === keys[b] && a < b);
  let missing = share * totalWeight(candidates);
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const pivot = medianOfThree(order[start], order[(start + end) >> 1], order[end - 1], before);
    let left = start;
    let right = end - 1;
    let mass = 0;
    while (left <= right) {
      while (before(order[left], pivot)) {
        mass += weights[order[left]];
        left += 1;
      }
      while (before(pivot, order[right])) right -= 1;
      if (left > right) break;
      const swapped = order[left];
      order[left] = order[right];
      order[right] = swapped;
      mass += weights[order[left]];
      left += 1;
      right -= 1;
    }
    // Everything before `left` stands before everything from `left` on, or is the pivot itself.
    if (mass >= missing && left - start < end - start) {
      end = left;
    } else if (mass >= missing) {
      end -= 1;
    } else {
      missing -= mass;
      start = left;
    }
  }
  return order[Math.min(start, size - 1)];
}

function medianOfThree(
  a: number,
  b: number,
  c: number,
  before: (a: number, b: number) => boolean,
): number {
  if (before(a, b)) {
    if (before(b, c)) return b;
    return before(a, c) ? c : a;
  }
  if (before(a, c)) return a;
  return before(b, c) ? c : b;
}
