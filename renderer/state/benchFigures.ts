import type { BenchRecord, Latency } from '../../preload/contract/index.ts';
import { percentiles } from './benchSetup.ts';
import { costOf, type PriceState } from './price.ts';

/** One figure of a measurement. */
export interface BenchFigure {
  readonly key: string;
  readonly name: string;
  readonly unit: 'ms' | 'bytes' | 'tokens per second' | 'joules' | 'money';
  /** null where it was not measured; `note` says why. */
  readonly value: number | null;
  /** Sample size and spread, or why there is no value. */
  readonly note: string;
  /** Whether less is better. */
  readonly less: boolean;
}

const runs = (latency: Latency): string =>
  `${latency.samples} ${latency.samples === 1 ? 'run' : 'runs'}`;

/** A percentile between tokens, or how many samples it lacks. */
function percentileOf(record: BenchRecord, at: (typeof percentiles)[number]): BenchFigure {
  const { decode } = record;
  const value = decode[at.key] ?? null;
  const count = decode.samples.toLocaleString('en');
  return {
    key: at.key,
    name: `Inter-token latency, ${at.name}`,
    unit: 'ms',
    value,
    note:
      value === null
        ? `needs ${at.samples.toLocaleString('en')} samples, has ${count}`
        : `${count} samples`,
    less: true,
  };
}

const measured =
  (unit: BenchFigure['unit']) =>
  (key: string, name: string, value: number | null, note: string): BenchFigure => ({
    key,
    name,
    unit,
    value,
    note,
    less: true,
  });
const time = measured('ms');
const bytes = measured('bytes');

/** All figures of a measurement in the order they are told; the same ones of every measurement. */
export function figuresOf(record: BenchRecord, price: PriceState): BenchFigure[] {
  const { prefill, decode, ttft, loads, joulesPerToken, request } = record;
  const { promptTokens, newTokens, batch } = request;
  const rows = batch === 1 ? '' : `, batch of ${batch}`;
  const speed = (key: string, name: string, latency: Latency, note: string): BenchFigure => ({
    key,
    name,
    unit: 'tokens per second',
    value: latency.tokensPerSecond,
    note: `${note}${rows}`,
    less: false,
  });
  return [
    time('ttft', 'Time to first token', ttft.p50, `${runs(ttft)}, ${promptTokens} tokens`),
    speed('prefill', 'Prefill', prefill, runs(prefill)),
    speed('decode', 'Decode', decode, `${decode.samples.toLocaleString('en')} samples`),
    ...percentiles.map((at) => percentileOf(record, at)),
    bytes('peak', 'Peak memory', record.peakRssBytes, 'resident set'),
    bytes('cache', 'KV cache', record.cacheBytes, `${promptTokens + newTokens} tokens${rows}`),
    bytes('file', 'Weight files', record.fileBytes, 'on disk'),
    time('load', 'Load', record.loadMs, 'first in a fresh process'),
    ...(loads
      ? [
          time(
            'cold',
            'Load, cold',
            loads.coldMs,
            loads.coldMs === null ? 'the page cache cannot be dropped here' : 'page cache dropped',
          ),
          time('warm', 'Load, warm', loads.warmMs, 'second in the same process'),
        ]
      : []),
    {
      key: 'joules',
      name: 'Energy per token',
      unit: 'joules',
      value: joulesPerToken,
      note: joulesPerToken === null ? 'no energy counter can be read here' : 'processor package',
      less: true,
    },
    {
      key: 'cost',
      name: 'Cost of a million tokens',
      unit: 'money',
      value: costOf(decode.tokensPerSecond, price),
      note: price.perHour === null ? 'needs a price per hour' : 'decode alone, at full use',
      less: true,
    },
  ];
}
