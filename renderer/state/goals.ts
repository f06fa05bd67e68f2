import type { Point } from './points.ts';
import { formatNumber, metricOf, quantities, quantityOf, type QuantityKey } from './quantities.ts';

/** What a model has to reach on one quantity. */
export interface Goal {
  readonly key: QuantityKey;
  readonly relation: 'at-most' | 'at-least';
  /** In the unit of the quantity; where `ofBase`, a share: 0.98 for 98 %. */
  readonly value: number;
  readonly ofBase: boolean;
}

/** Where the line of a goal lies, and which side of it is good. */
export interface GoalLine {
  readonly key: QuantityKey;
  readonly at: number;
  readonly relation: Goal['relation'];
}

/**
 * The line of a goal; null where it needs a value of the base that was not measured. `at least 98 %
 * of the base` means as good as that: where less is better, the value may be 1 / 0.98 of the base's.
 */
export function lineOf(goal: Goal, base: Point | undefined): GoalLine | null {
  const { key, relation, value, ofBase } = goal;
  if (!ofBase) return { key, at: value, relation };
  const whole = base?.values.get(key)?.value;
  if (whole === undefined) return null;
  return relation === 'at-least' && quantityOf(key).better === 'lower'
    ? { key, at: whole / value, relation: 'at-most' }
    : { key, at: whole * value, relation };
}

/** Whether a point reaches all lines; null where a value is missing that would decide it. */
export function meets(point: Point, lines: readonly GoalLine[]): boolean | null {
  const results = lines.map(({ key, at, relation }) => {
    const value = point.values.get(key)?.value;
    if (value === undefined) return null;
    return relation === 'at-most' ? value <= at : value >= at;
  });
  if (results.includes(false)) return false;
  return results.includes(null) ? null : true;
}

/** `at most 10 ms`, `at least 98 % of the base` */
const boundText = ({ key, relation, value, ofBase }: Goal): string => {
  const words = relation === 'at-most' ? 'at most' : 'at least';
  const { unit } = quantityOf(key);
  return ofBase
    ? `${words} ${formatNumber(value * 100)} % of the base`
    : `${words} ${formatNumber(value)}${unit === '' ? '' : ` ${unit}`}`;
};

/** Goals as a sentence that `parseGoals` reads again. */
export const goalsText = (goals: readonly Goal[]): string =>
  goals.map((goal) => `${quantityOf(goal.key).title} ${boundText(goal)}`).join(' and ');

export type GoalsReading =
  | { readonly kind: 'right'; readonly goals: readonly Goal[] }
  /** The words that could not be read, and what would do. */
  | { readonly kind: 'wrong'; readonly message: string };

const clause =
  /^(?<name>.*?)\s*(?<relation>at most|no more than|up to|under|below|<=|≤|<|at least|no less than|over|above|>=|≥|>)\s*(?<number>\d[\d.,]*)\s*(?<rest>.*)$/i;

const least = new Set(['at least', 'no less than', 'over', 'above', '>=', '≥', '>']);

/** Other names by which people call a quantity. */
const aliases: readonly (readonly [RegExp, QuantityKey])[] = [
  [/^(decode )?p50$|^latency$|^decode$/, 'decode-p50'],
  [/^(decode )?p90$/, 'decode-p90'],
  [/^(decode )?p99$/, 'decode-p99'],
  [/^ttft$/, 'ttft'],
  [/^(speed|throughput|tokens\/s)$/, 'tokens-per-second'],
  [/^(size|file|bytes)$/, 'bytes'],
  [/^(memory|ram|rss)$/, 'peak-memory'],
  [/^(joules|energy)$/, 'joules'],
  [/^(ppl)$/, 'quality:perplexity'],
  [/^(kl|kl divergence)$/, 'quality:kl'],
  [/^(agreement|top-1)$/, 'quality:top-1'],
];

interface Unit {
  readonly unit: string;
  readonly factor: number;
  /** The quantity meant where no axis has this unit. */
  readonly usual: QuantityKey;
}

const units: Readonly<Record<string, Unit>> = {
  ms: { unit: 'ms', factor: 1, usual: 'decode-p50' },
  s: { unit: 'ms', factor: 1000, usual: 'ttft' },
  kb: { unit: 'MB', factor: 0.001, usual: 'bytes' },
  mb: { unit: 'MB', factor: 1, usual: 'bytes' },
  gb: { unit: 'MB', factor: 1000, usual: 'bytes' },
  'tokens/s': { unit: 'tokens/s', factor: 1, usual: 'tokens-per-second' },
  'j/token': { unit: 'J/token', factor: 1, usual: 'joules' },
  j: { unit: 'J/token', factor: 1, usual: 'joules' },
  nats: { unit: 'nats', factor: 1, usual: 'quality:kl' },
  bit: { unit: 'bit', factor: 1, usual: 'quality:bits-per-byte' },
  tokens: { unit: 'tokens', factor: 1, usual: 'quality:first-divergence' },
  'per million tokens': { unit: 'per million tokens', factor: 1, usual: 'cost' },
};

/**
 * Reads `at most 10 ms and at least 98 % of the base`. What a clause does not name is meant of the
 * axis that has its unit; a share of the base, and a bare number, of the axis that shows quality.
 */
export function parseGoals(
  text: string,
  axes: { readonly x: QuantityKey; readonly y: QuantityKey },
): GoalsReading {
  const goals: Goal[] = [];
  for (const part of text.split(/\s+and\s+|,\s+|;/i)) {
    const words = part.trim();
    if (words === '') continue;
    const goal = parseClause(words, axes);
    if (typeof goal === 'string') return { kind: 'wrong', message: goal };
    goals.push(goal);
  }
  return { kind: 'right', goals };
}

function parseClause(
  words: string,
  { x, y }: { readonly x: QuantityKey; readonly y: QuantityKey },
): Goal | string {
  const { name = '', relation = '', number = '', rest = '' } = clause.exec(words)?.groups ?? {};
  if (relation === '') return `a goal reads like “at most 10 ms”: ${words}`;
  const value = Number(number.replaceAll(',', ''));
  if (!Number.isFinite(value)) return `this is not a number: ${number}`;
  const named = name === '' ? null : quantityNamed(name);
  if (named === undefined) return `there is no quantity of this name: ${name}`;
  const quality = [y, x].find((key) => metricOf(key) !== null) ?? y;
  const side = least.has(relation.toLowerCase()) ? 'at-least' : 'at-most';

  if (/^%\s*of\s+(the\s+)?base$/i.test(rest))
    return { key: named ?? quality, relation: side, value: value / 100, ofBase: true };
  if (rest === '' || rest === '%') {
    const factor = rest === '%' ? 0.01 : 1;
    return { key: named ?? quality, relation: side, value: value * factor, ofBase: false };
  }
  const unit = units[rest.toLowerCase()];
  if (!unit) return `there is no such unit: ${rest}`;
  const fits = (key: QuantityKey): boolean => quantityOf(key).unit === unit.unit;
  if (named !== null && !fits(named))
    return `${quantityOf(named).title} is not measured in this unit: ${rest}`;
  const key = named ?? [x, y].find(fits) ?? unit.usual;
  return { key, relation: side, value: value * unit.factor, ofBase: false };
}

function quantityNamed(name: string): QuantityKey | undefined {
  const wanted = name.trim().toLowerCase();
  const exact = quantities.find(
    ({ key, title }) => title.toLowerCase() === wanted || key.replace('quality:', '') === wanted,
  );
  return exact?.key ?? aliases.find(([pattern]) => pattern.test(wanted))?.[1];
}
