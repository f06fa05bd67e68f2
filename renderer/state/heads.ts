import type { Head, HeadStatistics } from '../../preload/contract/index.ts';

export type StatisticName = Exclude<keyof HeadStatistics, 'layer' | 'head'>;

export interface Statistic {
  readonly name: StatisticName;
  readonly title: string;
  /** What a head that has much of it does. */
  readonly meaning: string;
  readonly unit: 'bits' | 'tokens' | 'share';
  /** What is looked for by the word alone: at least, or at most, this much. */
  readonly marked: { readonly sign: '>' | '<'; readonly value: number };
  /** Other words for it. */
  readonly words: readonly string[];
}

/** What is known of how a head spreads its attention, in the order of the table. */
export const statistics: readonly Statistic[] = [
  {
    name: 'previous',
    title: 'Previous token',
    meaning: 'Attention to the token before',
    unit: 'share',
    marked: { sign: '>', value: 0.4 },
    words: ['previous', 'previous-token', 'prev'],
  },
  {
    name: 'induction',
    title: 'Induction',
    meaning: 'Attention to the token behind the previous occurrence of this one',
    unit: 'share',
    marked: { sign: '>', value: 0.3 },
    words: ['induction'],
  },
  {
    name: 'duplicate',
    title: 'Duplicate',
    meaning: 'Attention to previous occurrences of this token',
    unit: 'share',
    marked: { sign: '>', value: 0.3 },
    words: ['duplicate', 'same'],
  },
  {
    name: 'sink',
    title: 'Sink',
    meaning: 'Attention to the first token, of all behind it',
    unit: 'share',
    marked: { sign: '>', value: 0.5 },
    words: ['sink', 'first'],
  },
  {
    name: 'self',
    title: 'Self',
    meaning: 'Attention to the token itself',
    unit: 'share',
    marked: { sign: '>', value: 0.4 },
    words: ['self', 'diagonal'],
  },
  {
    name: 'positional',
    title: 'Positional',
    meaning: 'How much of the pattern depends on the distance alone',
    unit: 'share',
    marked: { sign: '>', value: 0.8 },
    words: ['positional', 'position'],
  },
  {
    name: 'entropy',
    title: 'Entropy',
    meaning: 'How widely attention is spread',
    unit: 'bits',
    marked: { sign: '>', value: 3 },
    words: ['entropy', 'broad'],
  },
  {
    name: 'distance',
    title: 'Distance',
    meaning: 'How far back attention goes, on average',
    unit: 'tokens',
    marked: { sign: '>', value: 8 },
    words: ['distance', 'far'],
  },
];

/** A condition on heads, as it was written. */
type Condition =
  | {
      readonly kind: 'statistic';
      readonly name: StatisticName;
      readonly sign: '>' | '<';
      readonly value: number;
    }
  | {
      readonly kind: 'place';
      readonly part: 'layer' | 'head';
      readonly from: number;
      readonly to: number;
    };

export type HeadSearch =
  | { readonly kind: 'all' }
  | { readonly kind: 'found'; readonly heads: readonly HeadStatistics[] }
  /** A word that says nothing about heads. */
  | { readonly kind: 'unclear'; readonly word: string };

const opposites: Readonly<Record<string, { name: StatisticName; sign: '>' | '<'; value: number }>> =
  {
    focused: { name: 'entropy', sign: '<', value: 1 },
    local: { name: 'distance', sign: '<', value: 2 },
  };

/**
 * Finds heads by words (`induction`, `sink`, `local`), by values (`entropy < 1`, `previous > 0.9`) and
 * by place (`layer 3`, `layers 2-4`, `head 0`); all must hold. The first statistic that is named sorts.
 */
export function findHeads(all: readonly HeadStatistics[], text: string): HeadSearch {
  const conditions: Condition[] = [];
  let rest = text
    .trim()
    .toLowerCase()
    .replaceAll(/[,;]|\band\b/g, ' ')
    .trim();
  if (rest === '') return { kind: 'all' };
  while (rest !== '') {
    const read = readPlace(rest) ?? readStatistic(rest);
    if (!read) return { kind: 'unclear', word: /^\S+/.exec(rest)?.[0] ?? rest };
    conditions.push(read.condition);
    rest = rest.slice(read.length).trim();
  }
  const heads = all.filter((head) => conditions.every((condition) => holds(head, condition)));
  const by = conditions.find((condition) => condition.kind === 'statistic');
  return { kind: 'found', heads: by ? sortHeads(heads, by.name, by.sign === '<') : heads };
}

interface Read {
  readonly condition: Condition;
  readonly length: number;
}

function readPlace(text: string): Read | null {
  const found = /^(layer|head)s?\s*(\d+)(?:\s*(?:-|–|to)\s*(\d+))?(?=\s|$)/.exec(text);
  if (!found) return null;
  const from = Number(found[2]);
  const part = found[1] === 'layer' ? 'layer' : 'head';
  const to = found[3] === undefined ? from : Number(found[3]);
  return { condition: { kind: 'place', part, from, to }, length: found[0].length };
}

function readStatistic(text: string): Read | null {
  const found = /^([a-z][a-z-]*)(?:\s*(>|<|≥|≤)=?\s*(\d*\.?\d+))?(?=\s|$)/.exec(text);
  const word = found?.[1];
  if (!found || word === undefined) return null;
  const statistic = statistics.find(({ words }) => words.includes(word));
  const standard = statistic ? { name: statistic.name, ...statistic.marked } : opposites[word];
  if (!standard) return null;
  const sign = found[2] === undefined ? standard.sign : /[<≤]/.test(found[2]) ? '<' : '>';
  const value = found[3] === undefined ? standard.value : Number(found[3]);
  return {
    condition: { kind: 'statistic', name: standard.name, sign, value },
    length: found[0].length,
  };
}

function holds(head: HeadStatistics, condition: Condition): boolean {
  if (condition.kind === 'place') {
    const value = head[condition.part];
    return value >= condition.from && value <= condition.to;
  }
  const value = head[condition.name];
  if (value === null) return false;
  return condition.sign === '>' ? value >= condition.value : value <= condition.value;
}

/** Heads by a column of the table; what was not measured comes last either way. */
export function sortHeads(
  heads: readonly HeadStatistics[],
  by: StatisticName | 'place',
  isAscending: boolean,
): readonly HeadStatistics[] {
  const sign = isAscending ? 1 : -1;
  if (by === 'place')
    return heads.toSorted((a, b) => sign * (a.layer - b.layer || a.head - b.head));
  return heads.toSorted((a, b) => {
    const [first, second] = [a[by], b[by]];
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    return sign * (first - second);
  });
}

/** What stands out about a head, in words: `previous token 0.92, entropy 0.4 bits`. */
export function summaryOfHead(head: HeadStatistics): string {
  const marks = statistics
    .filter(({ name, unit, marked }) => {
      const value = head[name];
      return unit === 'share' && value !== null && value >= marked.value;
    })
    .map(({ name, title }) => `${title.toLowerCase()} ${head[name]?.toFixed(2)}`);
  return [
    ...marks,
    `entropy ${head.entropy.toFixed(2)} bits`,
    `${head.distance.toFixed(1)} tokens back on average`,
  ].join(', ');
}

/** The head moved to by an arrow key; null for other keys, or where there is none. */
export function headBeside(
  heads: readonly number[],
  { layer, head }: Head,
  key: string,
): Head | null {
  const within = (to: Head): Head | null => {
    const count = heads[to.layer] ?? 0;
    if (to.head < 0 || count === 0) return null;
    return { layer: to.layer, head: Math.min(to.head, count - 1) };
  };
  switch (key) {
    case 'ArrowLeft':
      return within({ layer, head: head - 1 });
    case 'ArrowRight':
      return head + 1 < (heads[layer] ?? 0) ? { layer, head: head + 1 } : null;
    case 'ArrowUp':
      return within({ layer: layer - 1, head });
    case 'ArrowDown':
      return within({ layer: layer + 1, head });
    case 'Home':
      return within({ layer, head: 0 });
    case 'End':
      return within({ layer, head: (heads[layer] ?? 1) - 1 });
    default:
      return null;
  }
}
