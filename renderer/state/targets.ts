import { matchTargets } from '../../preload/contract/targets.ts';
import { toFailure, type Failure } from './failure.ts';

/** What patterns choose of some layers, or why they cannot. */
export type Chosen =
  | { readonly kind: 'chosen'; readonly names: ReadonlySet<string> }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Holds patterns against the names of layers. No pattern chooses nothing. */
export function chooseTargets(names: readonly string[], patterns: readonly string[]): Chosen {
  if (patterns.length === 0) return { kind: 'chosen', names: new Set() };
  try {
    return { kind: 'chosen', names: new Set(matchTargets(names, patterns)) };
  } catch (error) {
    return { kind: 'failed', failure: toFailure(error) };
  }
}

/** Takes layers out where all of them are chosen, and adds them otherwise. */
export function toggleTargets(
  chosen: ReadonlySet<string>,
  names: readonly string[],
): ReadonlySet<string> {
  const touched = new Set(names);
  return names.every((name) => chosen.has(name))
    ? new Set([...chosen].filter((name) => !touched.has(name)))
    : new Set([...chosen, ...names]);
}

interface Place {
  readonly name: string;
  /** Null for what belongs to no block. */
  readonly block: string | null;
  /** `attn` of `blocks.3.attn.qkv`. */
  readonly part: string;
  /** `attn.qkv` of it. */
  readonly kind: string;
}

const placeOf = (name: string): Place => {
  const [, block, part, leaf] = /^blocks\.(\d+)\.(\w+)\.(\w+)$/.exec(name) ?? [];
  return block === undefined || part === undefined || leaf === undefined
    ? { name, block: null, part: '', kind: name }
    : { name, block, part, kind: `${part}.${leaf}` };
};

/**
 * The shortest patterns found that choose exactly these layers: whole rows, blocks and halves of
 * blocks by one pattern, and what is left out named where that is shorter.
 */
export function patternsOf(names: readonly string[], chosen: ReadonlySet<string>): string[] {
  if (chosen.size === 0) return [];
  if (chosen.size === names.length) return ['**'];
  const places = names.map(placeOf);
  const inBlocks = places.filter(({ block }) => block !== null);
  const outside = places.filter(({ block }) => block === null);
  const loose = outside.filter(({ name }) => chosen.has(name)).map(({ name }) => name);
  const left = new Set(inBlocks.filter(({ name }) => !chosen.has(name)).map(({ name }) => name));
  const within = new Set(inBlocks.filter(({ name }) => chosen.has(name)).map(({ name }) => name));
  const blocksOnly = within.size === 0 ? [] : left.size === 0 ? ['blocks.**'] : null;
  if (blocksOnly) return [...blocksOnly, ...loose];

  const missing = outside.filter(({ name }) => !chosen.has(name)).map(({ name }) => name);
  const candidates = [
    ...(['rows', 'blocks'] as const).flatMap((first) => [
      [...cover(inBlocks, within, first), ...loose],
      ['blocks.**', ...loose, ...out(cover(inBlocks, left, first))],
    ]),
    ...(['rows', 'blocks'] as const).map((first) => [
      '**',
      ...out([...cover(inBlocks, left, first), ...missing]),
    ]),
  ];
  return candidates.reduce((best, next) => (cost(next) < cost(best) ? next : best));
}

const out = (patterns: readonly string[]): string[] => patterns.map((pattern) => `!${pattern}`);

/** Few patterns are better than short ones. */
const cost = (patterns: readonly string[]): number =>
  patterns.length * 1000 + patterns.join('').length;

/** Patterns that choose exactly `wanted` of the layers of the blocks. */
function cover(
  places: readonly Place[],
  wanted: ReadonlySet<string>,
  first: 'rows' | 'blocks',
): string[] {
  const rest = new Set(wanted);
  const patterns: string[] = [];
  /** Takes every group whose members are all wanted and not all covered yet. */
  const take = (keyOf: (place: Place) => string, patternOf: (place: Place) => string): void => {
    for (const group of Map.groupBy(places, keyOf).values()) {
      const [any] = group;
      const isWanted = group.every(({ name }) => wanted.has(name));
      if (!any || !isWanted || !group.some(({ name }) => rest.has(name))) continue;
      patterns.push(patternOf(any));
      for (const { name } of group) rest.delete(name);
    }
  };
  const takeRows = (): void => {
    take(
      ({ part }) => part,
      ({ part }) => `blocks.*.${part}.*`,
    );
    take(
      ({ kind }) => kind,
      ({ kind }) => `blocks.*.${kind}`,
    );
  };
  const takeBlocks = (): void =>
    take(
      ({ block }) => String(block),
      ({ block }) => `blocks.${block}.**`,
    );
  if (first === 'rows') takeRows();
  takeBlocks();
  if (first === 'blocks') takeRows();
  take(
    ({ block, part }) => `${block}.${part}`,
    ({ block, part }) => `blocks.${block}.${part}.*`,
  );
  return [...patterns, ...rest];
}
