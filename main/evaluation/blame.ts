import { LatheError } from '../../preload/contract/errors.ts';

/** Layers of a variant that can only be put back together; mostly one. */
export interface Unit {
  /** The block they belong to; null before the first and behind the last. */
  readonly block: number | null;
  readonly layers: readonly string[];
}

/** What a model with some layers of its base says at the token in question. */
export interface Verdict {
  /** KL(base ‖ model) there, in nats. */
  readonly kl: number;
  /** Whether it finds the base's token most probable. */
  readonly restores: boolean;
}

/** A layer and what putting it back does. */
export interface Suspect {
  readonly layer: string;
  /** 1 − KL / KL of the variant. */
  readonly effect: number;
  readonly restores: boolean;
}

export interface Findings {
  /** The worst first. Where runs did not suffice, layers of groups that mattered less are left out. */
  readonly suspects: readonly Suspect[];
  /** The fewest of the worst that together bring the token back; empty where no token flipped. */
  readonly sufficient: readonly string[];
  readonly runs: number;
}

interface SearchOptions<U extends Unit> {
  /** Runs the variant with these units put back. */
  readonly judge: (units: readonly U[]) => Promise<Verdict>;
  /** KL of the variant as it is. */
  readonly kl: number;
  /** Whether there is a token to bring back. */
  readonly flipped: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onSuspect?: ((suspect: Suspect) => void) | undefined;
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/** Runs of mixed models that one search may take. */
export const mostRuns = 48;

/** Without a token to bring back, a layer that takes away so much of the KL is the culprit. */
const enough = 0.9;

interface Group<U extends Unit = Unit> {
  readonly units: readonly U[];
  readonly effect: number;
  readonly restores: boolean;
}

/**
 * Searches the layers that make a variant differ: puts back half of the blocks, then the other half,
 * and goes on with the group that helped most, blocks before the layers within one. A single culprit
 * is found in two runs per halving. Where the difference is spread, other groups follow, the most
 * helpful first, until `mostRuns`; then the fewest of the worst that suffice are found by halving.
 */
export async function findBlame<U extends Unit>(
  units: readonly U[],
  { judge, kl, flipped, signal, onSuspect, onProgress }: SearchOptions<U>,
): Promise<Findings> {
  const expected = Math.min(mostRuns, 2 * units.length);
  let runs = 0;
  const measure = async (some: readonly U[]): Promise<Group<U>> => {
    if (signal?.aborted) throw new LatheError('cancelled', 'the search was cancelled');
    onProgress?.(runs / (expected + 1));
    const verdict = await judge(some);
    runs++;
    const restores = flipped && verdict.restores;
    return { units: some, effect: kl === 0 ? 0 : 1 - verdict.kl / kl, restores };
  };
  const waiting: Group<U>[] = [];
  const single: Group<U>[] = [];
  const take = (group: Group<U>): void => {
    if (group.units.length > 1) return void waiting.push(group);
    single.push(group);
    suspectsOf(group).forEach((suspect) => onSuspect?.(suspect));
  };
  const isFound = (): boolean => {
    const [worst] = single.toSorted(byEffect);
    const isCulprit = worst !== undefined && (flipped ? worst.restores : worst.effect >= enough);
    return isCulprit && waiting.every(({ effect }) => effect <= worst.effect);
  };
  // Finding how many suffice takes its share of the runs.
  const searchRuns = mostRuns - Math.ceil(Math.log2(units.length + 1)) - 1;
  if (units.length === 1) take(await measure(units));
  else if (units.length > 1) waiting.push({ units, effect: 1, restores: flipped });
  /** The group to look into next; null when the search has ended. */
  const next = (): Group<U> | null => {
    if (waiting.length === 0 || runs + 2 > searchRuns || isFound()) return null;
    const best = waiting.toSorted(byEffect)[0];
    waiting.splice(waiting.indexOf(best), 1);
    return best;
  };
  for (let group = next(); group !== null; group = next()) {
    for (const half of halves(group.units)) take(await measure(half));
  }
  const ranked = [...single.toSorted(byEffect), ...waiting.toSorted(byEffect)];
  const count = flipped ? await fewest(ranked, measure) : 0;
  return {
    suspects: ranked.filter((group) => group.units.length === 1).flatMap(suspectsOf),
    sufficient: ranked
      .flatMap((group) => group.units)
      .slice(0, count)
      .flatMap(({ layers }) => layers),
    runs,
  };
}

/** How many of the first units bring the token back; 0 where not even all of them do. */
async function fewest<U extends Unit>(
  ranked: readonly Group<U>[],
  measure: (units: readonly U[]) => Promise<Group<U>>,
): Promise<number> {
  const units = ranked.flatMap((group) => group.units);
  if (ranked[0]?.units.length === 1 && ranked[0].restores) return 1;
  if (units.length < 2 || !(await measure(units)).restores) return 0;
  let [few, many] = [1, units.length];
  while (many - few > 1) {
    const middle = (few + many) >> 1;
    if ((await measure(units.slice(0, middle))).restores) many = middle;
    else few = middle;
  }
  return many;
}

/** Halves of a group: of its blocks where it has several, else of its units. */
function halves<U extends Unit>(units: readonly U[]): [U[], U[]] {
  const parts = new Map<number | string, U[]>();
  for (const unit of units) {
    // What stands outside the blocks is a part of its own.
    const part = unit.block ?? unit.layers.join();
    parts.set(part, [...(parts.get(part) ?? []), unit]);
  }
  const whole = parts.size > 1 ? [...parts.values()] : units.map((unit) => [unit]);
  const middle = whole.length >> 1;
  return [whole.slice(0, middle).flat(), whole.slice(middle).flat()];
}

const suspectsOf = ({ units, effect, restores }: Group): Suspect[] =>
  units.flatMap(({ layers }) => layers.map((layer) => ({ layer, effect, restores })));

const byEffect = (a: Group, b: Group): number => b.effect - a.effect;
