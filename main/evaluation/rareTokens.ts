import type { TokenReadings } from './documents.ts';

const deciles = 10;

/**
 * The decile of frequency that each token belongs to, 0 the rarest: tokens ascend by how often they
 * occur in the texts (equals by id), and a token belongs where the middle of its occurrences lies,
 * so that deciles hold about as many positions each and no token is split.
 */
export function frequencyDeciles(texts: readonly Int32Array[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const ids of texts) for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  const total = texts.reduce((sum, { length }) => sum + length, 0);
  let before = 0;
  return new Map(
    [...counts]
      .toSorted(([idA, a], [idB, b]) => a - b || idA - idB)
      .map(([id, count]) => {
        const middle = before + count / 2;
        before += count;
        return [id, Math.floor((middle / total) * deciles)];
      }),
  );
}

/** Σ −ln p and tokens per decile: one row of 2 · 10 numbers, to be added up over texts. */
export function decileSums(
  { ids, nats }: TokenReadings,
  decileOf: ReadonlyMap<number, number>,
): number[] {
  const sums = Array.from({ length: 2 * deciles }, () => 0);
  ids.forEach((id, at) => {
    const decile = decileOf.get(id) ?? 0;
    sums[2 * decile] += nats[at];
    sums[2 * decile + 1] += 1;
  });
  return sums;
}

/** Mean loss per decile in nats, the rarest first; null where one has no tokens. */
export function decileLosses(sums: readonly number[]): (number | null)[] {
  return Array.from({ length: deciles }, (_, decile) =>
    sums[2 * decile + 1] === 0 ? null : sums[2 * decile] / sums[2 * decile + 1],
  );
}

/**
 * Takes the mean loss of the rarest tokens that there are, in nats, out of sums: always those of the
 * same decile, so that texts drawn again give NaN where they have none of them.
 */
export function rareLoss(all: readonly number[]): (sums: readonly number[]) => number {
  const rarest = decileLosses(all).findIndex((loss) => loss !== null);
  return (sums) => decileLosses(sums)[rarest] ?? NaN;
}
