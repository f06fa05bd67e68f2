import {
  metricNames,
  type BenchRecord,
  type EvaluationRecord,
  type Latency,
  type Metric,
} from '../../preload/contract/index.ts';

/** Something that an axis can show of a model. */
export type QuantityKey = `quality:${Metric}` | SpeedKey | 'bytes' | 'cost';

type SpeedKey =
  | 'decode-p50'
  | 'decode-p90'
  | 'decode-p99'
  | 'ttft'
  | 'tokens-per-second'
  | 'peak-memory'
  | 'joules';

export interface Quantity {
  readonly key: QuantityKey;
  /** `Decode P99` */
  readonly title: string;
  /** `ms`; empty where it has none. */
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  readonly group: 'Quality' | 'Speed' | 'Memory and energy' | 'Cost';
  /** What measures it; `price` and `model` need no measuring of their own. */
  readonly source: 'evaluation' | 'bench' | 'model' | 'price';
  /** Values differ by powers of ten, so that equal ratios should be equal distances. */
  readonly logarithmic: boolean;
}

interface MetricWords {
  readonly title: string;
  readonly unit: string;
  readonly better: Quantity['better'];
}

export const metricWords: Readonly<Record<Metric, MetricWords>> = {
  perplexity: { title: 'Perplexity', unit: '', better: 'lower' },
  'bits-per-byte': { title: 'Bits per byte', unit: 'bit', better: 'lower' },
  'rare-token-loss': { title: 'Loss of rare tokens', unit: 'nats', better: 'lower' },
  'calibration-error': { title: 'Calibration error', unit: '', better: 'lower' },
  kl: { title: 'KL to the base', unit: 'nats', better: 'lower' },
  'top-1': { title: 'Top-1 agreement', unit: '', better: 'higher' },
  'delta-perplexity': { title: 'Δ perplexity', unit: '', better: 'lower' },
  'first-divergence': { title: 'First divergence', unit: 'tokens', better: 'higher' },
  accuracy: { title: 'Accuracy', unit: '', better: 'higher' },
  'accuracy-norm': { title: 'Accuracy, by length', unit: '', better: 'higher' },
  'minimal-pairs': { title: 'Minimal pairs', unit: '', better: 'higher' },
  'last-word': { title: 'Last word', unit: '', better: 'higher' },
  'exact-match': { title: 'Exact match', unit: '', better: 'higher' },
  f1: { title: 'F1', unit: '', better: 'higher' },
  bleu: { title: 'BLEU', unit: '', better: 'higher' },
  chrf: { title: 'chrF', unit: '', better: 'higher' },
};

const bench = (
  key: SpeedKey,
  title: string,
  unit: string,
  better: Quantity['better'],
  group: Quantity['group'],
): Quantity => ({ key, title, unit, better, group, source: 'bench', logarithmic: false });

/** Everything an axis can show, in the order of the menus. */
export const quantities: readonly Quantity[] = [
  ...metricNames.map((metric): Quantity => ({
    key: `quality:${metric}`,
    ...metricWords[metric],
    group: 'Quality',
    source: 'evaluation',
    logarithmic: false,
  })),
  bench('decode-p50', 'Decode P50', 'ms', 'lower', 'Speed'),
  bench('decode-p90', 'Decode P90', 'ms', 'lower', 'Speed'),
  bench('decode-p99', 'Decode P99', 'ms', 'lower', 'Speed'),
  bench('ttft', 'Time to first token', 'ms', 'lower', 'Speed'),
  bench('tokens-per-second', 'Tokens per second', 'tokens/s', 'higher', 'Speed'),
  {
    key: 'bytes',
    title: 'File size',
    unit: 'MB',
    better: 'lower',
    group: 'Memory and energy',
    source: 'model',
    logarithmic: true,
  },
  bench('peak-memory', 'Peak memory', 'MB', 'lower', 'Memory and energy'),
  bench('joules', 'Energy', 'J/token', 'lower', 'Memory and energy'),
  {
    key: 'cost',
    title: 'Cost',
    unit: 'per million tokens',
    better: 'lower',
    group: 'Cost',
    source: 'price',
    logarithmic: false,
  },
];

const byKey = new Map(quantities.map((quantity) => [quantity.key, quantity]));

export const isQuantityKey = (key: unknown): key is QuantityKey => byKey.has(key as QuantityKey); // oxlint-disable-line typescript/no-unsafe-type-assertion -- asked, not claimed

export function quantityOf(key: QuantityKey): Quantity {
  const quantity = byKey.get(key);
  if (!quantity) throw new Error(`there is no such quantity: ${key}`);
  return quantity;
}

/** `Decode P99 (ms)` */
export const titleWithUnit = ({ title, unit }: Quantity): string =>
  unit === '' ? title : `${title} (${unit})`;

/** The metric that a quantity is; null where it is none of quality. */
export const metricOf = (key: QuantityKey): Metric | null =>
  metricNames.find((metric) => key === `quality:${metric}`) ?? null;

/** A value with its unit, no more digits than there is reason to read. */
export function formatValue(key: QuantityKey, value: number): string {
  const { unit } = quantityOf(key);
  return `${formatNumber(value)}${unit === '' ? '' : ` ${unit}`}`;
}

/** Four figures; large numbers in whole ones with separators. */
export const formatNumber = (value: number): string =>
  (Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString('en')
    : value !== 0 && Math.abs(value) < 0.0001
      ? value.toExponential(2)
      : String(Number(value.toPrecision(4)))
  ).replaceAll('-', '−');

/** A value as it is drawn, and how sure it is. */
export interface Reading {
  readonly value: number;
  /** The middle 95 %, [low, high]; null where it cannot be told. */
  readonly ci95: readonly [number, number] | null;
  /** Items or samples it is made of; null where it was not sampled. */
  readonly n: number | null;
  /** The measurement it is from; null for what needs none. */
  readonly record: EvaluationRecord | BenchRecord | null;
}

export const readEvaluation = (record: EvaluationRecord): Reading => ({
  value: record.value,
  ci95: record.ci95,
  n: record.n,
  record,
});

/** What a bench tells of a quantity; null where it was not measured. */
export function readBench(key: SpeedKey, record: BenchRecord): Reading | null {
  const { decode, ttft, peakRssBytes, joulesPerToken } = record;
  const plain = (value: number | null | undefined, n: number | null): Reading | null =>
    value === null || value === undefined ? null : { value, ci95: null, n, record };
  const percentile = (of: keyof NonNullable<Latency['ci95']>): Reading | null => {
    const reading = plain(decode[of], decode.samples);
    return reading && { ...reading, ci95: decode.ci95?.[of] ?? null };
  };
  switch (key) {
    case 'decode-p50':
      return percentile('p50');
    case 'decode-p90':
      return percentile('p90');
    case 'decode-p99':
      return percentile('p99');
    case 'ttft':
      return plain(ttft.p50, ttft.samples);
    case 'tokens-per-second':
      return plain(decode.tokensPerSecond, decode.samples);
    case 'peak-memory':
      return plain(peakRssBytes / 1e6, null);
    case 'joules':
      return plain(joulesPerToken, decode.samples);
  }
}
