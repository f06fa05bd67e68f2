/** How often each run of `order` parts occurs. */
export function nGrams(parts: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + order <= parts.length; at++) {
    // Parts hold no line breaks, so that joined ones cannot be mistaken for others.
    const gram = parts.slice(at, at + order).join('\n');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** How many of the runs are in both, each counted as often as in the one that has fewer. */
export function common(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let count = 0;
  for (const [gram, times] of a) count += Math.min(times, b.get(gram) ?? 0);
  return count;
}
