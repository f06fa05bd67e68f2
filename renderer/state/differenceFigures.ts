import type { Difference, PatternPair } from '../../preload/contract/index.ts';

/** What the positions of a comparison come to, and what they say of each token. */
export interface DifferenceFigures {
  /** KL where each token was to come, in nats; 0 for the first, which nothing foretold. */
  readonly kl: readonly number[];
  /** How much more probable the variant found each token, in nats; null for the first. */
  readonly gain: readonly (number | null)[];
  /** Over all positions, that behind the last token included. */
  readonly meanKl: number;
  readonly mostKl: number;
  /** Mean of `gain`; null where there is one token at most. */
  readonly meanGain: number | null;
  /** Share of the positions at which both find the same token most probable. */
  readonly agreement: number;
  readonly positions: number;
}

export function figuresOf({ positions }: Difference): DifferenceFigures {
  const told = positions.slice(0, -1);
  const gains = told.map(({ base, variant }) =>
    base.logprob === null || variant.logprob === null ? null : variant.logprob - base.logprob,
  );
  const agreeing = positions.filter(({ base, variant }) => base.top.id === variant.top.id);
  return {
    kl: [0, ...told.map(({ kl }) => kl)],
    gain: [null, ...gains],
    meanKl: mean(positions.map(({ kl }) => kl)) ?? 0,
    mostKl: positions.reduce((most, { kl }) => Math.max(most, kl), 0),
    meanGain: mean(gains.filter((gain) => gain !== null)),
    agreement: positions.length > 0 ? agreeing.length / positions.length : 1,
    positions: positions.length,
  };
}

const mean = (values: readonly number[]): number | null =>
  values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null;

/** Below this, a difference looks like none: nats. */
const leastKl = 1e-3;
const mostKl = 3;

/** Shade of a KL divergence, 0 for none … 8: equal ratios are equal steps. */
export const klShade = (kl: number): number =>
  kl <= leastKl
    ? 0
    : Math.min(8, 1 + Math.round((Math.log(kl / leastKl) / Math.log(mostKl / leastKl)) * 7));

/** The token whose attention changed most, and what it looks at more and less than before. */
export interface Shift {
  readonly row: number;
  /** Column and change; null where nothing gained, or lost. */
  readonly gained: { readonly column: number; readonly by: number } | null;
  readonly lost: { readonly column: number; readonly by: number } | null;
}

/** Where two maps of one head differ most; null where they are the same. */
export function largestShift({ tokens, base, variant }: PatternPair): Shift | null {
  let largest: Shift | null = null;
  let most = 1e-6;
  for (let row = 0; row < tokens; row += 1) {
    let moved = 0;
    let gained = { column: 0, by: 0 };
    let lost = { column: 0, by: 0 };
    for (let column = 0; column < tokens; column += 1) {
      const at = row * tokens + column;
      const by = (variant[at] ?? 0) - (base[at] ?? 0);
      moved += Math.abs(by);
      if (by > gained.by) gained = { column, by };
      if (by < lost.by) lost = { column, by };
    }
    if (moved <= most) continue;
    most = moved;
    largest = { row, gained: gained.by > 0 ? gained : null, lost: lost.by < 0 ? lost : null };
  }
  return largest;
}
