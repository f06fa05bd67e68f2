import type { BenchRecord, OperatorTime, SweepPoint } from '../../preload/contract/index.ts';
import type { BenchFigure } from './benchFigures.ts';

/** A table to be written as CSV. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** Every time from token to token in the order they came, of each record those at its place. */
export const samplesTable = (
  records: readonly BenchRecord[],
  samples: readonly Float64Array[],
): Table => ({
  header: ['model', 'measured_at', 'sample', 'ms'],
  rows: records.flatMap(({ model, measuredAt }, at) =>
    Array.from(samples[at] ?? [], (ms, index) => [
      model,
      new Date(measuredAt).toISOString(),
      index,
      ms,
    ]),
  ),
});

export const operatorsTable = (operators: readonly OperatorTime[]): Table => ({
  header: ['node', 'operator', 'block', 'calls', 'prefill_ms', 'decode_ms_per_step'],
  rows: operators.map(({ node, operator, block, calls, prefillMs, decodeMs }) => [
    node,
    operator,
    block,
    calls,
    prefillMs,
    decodeMs,
  ]),
});

/** The stops of one sweep of several measurements. */
export const sweepTable = (
  of: (record: BenchRecord) => readonly SweepPoint[],
  stop: string,
  records: readonly BenchRecord[],
): Table => ({
  header: [
    'model',
    stop,
    'ttft_p50_ms',
    'ttft_samples',
    'decode_p50_ms',
    'decode_p90_ms',
    'decode_samples',
    'tokens_per_second',
  ],
  rows: records.flatMap((record) =>
    of(record).map(({ at, ttft, decode }) => [
      record.model,
      at,
      ttft.p50,
      ttft.samples,
      decode.p50,
      decode.p90 ?? null,
      decode.samples,
      decode.tokensPerSecond,
    ]),
  ),
});

export const memoryTable = (records: readonly BenchRecord[]): Table => ({
  header: ['model', 'ms', 'bytes', 'phase'],
  rows: records.flatMap(({ model, memory: { ms, bytes, phases } }) =>
    ms.map((time, index) => [
      model,
      time,
      bytes[index] ?? null,
      phases.findLast(({ startMs }) => startMs <= time)?.phase ?? null,
    ]),
  ),
});

/** Figures as rows, measurements as columns; what was not measured is empty. */
export const figuresTable = (
  records: readonly BenchRecord[],
  figures: readonly (readonly BenchFigure[])[],
): Table => {
  const keys = [...new Set(figures.flat().map(({ key }) => key))];
  return {
    header: ['figure', 'unit', ...records.map(({ model }) => model)],
    rows: keys.map((key) => {
      const any = find(figures.flat(), key);
      return [
        any?.name ?? key,
        any?.unit ?? null,
        ...records.map((_, at) => find(figures[at], key)?.value ?? null),
      ];
    }),
  };
};

const find = (figures: readonly BenchFigure[] | undefined, key: string): BenchFigure | undefined =>
  figures?.find((figure) => figure.key === key);
