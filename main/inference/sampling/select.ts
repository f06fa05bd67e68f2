import type { Candidates } from './candidates.ts';

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
  const heap = new Int32Array(Math.min(count, size)).map((_, position) => position);
  if (heap.length === 0) return heap;
  for (let hole = (heap.length >> 1) - 1; hole >= 0; hole -= 1) {
    sink(values, heap, hole, heap.length);
  }
  let least = values[heap[0]];
  for (let position = heap.length; position < size; position += 1) {
    // Later positions lose ties, so only a larger value gets in.
    if (!(values[position] > least)) continue;
    heap[0] = position;
    sink(values, heap, 0, heap.length);
    least = values[heap[0]];
  }
  // Taking the worst off the heap again and again sorts it from the back.
  for (let end = heap.length - 1; end > 0; end -= 1) {
    const worst = heap[0];
    heap[0] = heap[end];
    heap[end] = worst;
    sink(values, heap, 0, end);
  }
  return heap;
}

/** Restores the heap below `hole`: its root is the worst, a smaller value or an equal one behind. */
function sink(
  values: Float32Array | Float64Array,
  heap: Int32Array,
  hole: number,
  end: number,
): void {
  const position = heap[hole];
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= end) break;
    if (child + 1 < end && before(values, heap[child], heap[child + 1])) child += 1;
    if (!before(values, position, heap[child])) break;
    heap[hole] = heap[child];
    hole = child;
  }
  heap[hole] = position;
}

/**
 * Takes candidates in order of `keys`, largest first and the lower position first among equals,
 * until their weights sum to at least `mass`, and gives the position that completed it. Quickselect
 * that weighs instead of counting: O(size) on average.
 */
export function positionCompleting(candidates: Candidates, mass: number): number {
  const { size, keys, weights, order } = candidates;
  for (let i = 0; i < size; i += 1) order[i] = i;
  let missing = mass;
  let start = 0;
  let end = size;
  while (start < end) {
    const pivot = medianOfThree(keys, order[start], order[(start + end) >> 1], order[end - 1]);
    const split = partition(candidates, start, end, pivot);
    let front = 0;
    for (let i = start; i < split; i += 1) front += weights[order[i]];
    if (front >= missing) {
      end = split;
    } else if (front + weights[pivot] >= missing) {
      return pivot;
    } else {
      missing -= front + weights[pivot];
      start = split + 1;
    }
  }
  // Only rounding leads here: the mass is complete with the last position of the range.
  return order[end - 1];
}

/** Moves what stands before `pivot` to the front of [start, end), the pivot behind it; its place. */
function partition({ keys, order }: Candidates, start: number, end: number, pivot: number): number {
  const pivotKey = keys[pivot];
  let split = start;
  let pivotAt = start;
  for (let i = start; i < end; i += 1) {
    const position = order[i];
    if (position === pivot) pivotAt = i;
    const key = keys[position];
    if (key < pivotKey || (key === pivotKey && position >= pivot)) continue;
    if (pivotAt === split) pivotAt = i;
    order[i] = order[split];
    order[split] = position;
    split += 1;
  }
  order[pivotAt] = order[split];
  order[split] = pivot;
  return split;
}

function medianOfThree(keys: Float64Array, a: number, b: number, c: number): number {
  if (before(keys, a, b)) {
    if (before(keys, b, c)) return b;
    return before(keys, a, c) ? c : a;
  }
  if (before(keys, a, c)) return a;
  return before(keys, b, c) ? c : b;
}

function before(values: Float32Array | Float64Array, a: number, b: number): boolean {
  return values[a] > values[b] || (values[a] === values[b] && a < b);
}
