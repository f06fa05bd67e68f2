/** `; did you mean …?`, where one of the known names is near enough to be meant; else nothing. */
export function suggestion(typed: string, known: Iterable<string>): string {
  const most = Math.max(1, Math.floor(typed.length / 3));
  let best = { name: '', distance: most + 1 };
  for (const name of known) {
    // A variant may be named without its model.
    const distance = name.endsWith(`/${typed}`) ? 0 : distanceOf(typed, name);
    if (distance < best.distance) best = { name, distance };
  }
  return best.name === '' ? '' : `; did you mean ${best.name}?`;
}

/**
 * Characters to insert, drop, replace or swap with their neighbour to make `b` of `a` (optimal
 * string alignment).
 */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let last: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    [before, last, row] = [last, row, [i]];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? before[j - 2] + 1 : Infinity;
      row.push(Math.min(last[j] + 1, row[j - 1] + 1, replaced, swapped));
    }
  }
  return row[b.length];
}
