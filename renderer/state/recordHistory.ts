import type { BenchRecord, Circumstances, EvaluationRecord } from '../../preload/contract/index.ts';
import { changesBetween } from './drift.ts';
import { readBench, readEvaluation, type QuantityKey, type Reading } from './quantities.ts';

/** One measurement among those of the same quantity. */
export interface HistoryEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reading: Reading;
  /** What is different from the measurement before: `onnxruntime 1.29.0 → 1.30.0`. */
  readonly changes: readonly string[];
  /** Whether the value left the interval of the one before; null where neither has an interval. */
  readonly moved: boolean | null;
}

/** One quantity of a model over time. */
export interface QuantityHistory {
  readonly key: QuantityKey;
  /** What all of them were measured on or with. */
  readonly label: string;
  /** The oldest first. */
  readonly entries: readonly HistoryEntry[];
}

/** Measurements of a model as they are kept. */
export interface RecordsOfModel {
  readonly evaluations: readonly EvaluationRecord[];
  readonly benches: readonly BenchRecord[];
}

const benchKeys = [
  'decode-p50',
  'decode-p99',
  'ttft',
  'tokens-per-second',
  'peak-memory',
  'joules',
] as const;

/**
 * The measurements of one model over time: one line per quantity and way of measuring, but all
 * machines and versions in one, since those are what a history is to show.
 */
export function historyOf({ evaluations, benches }: RecordsOfModel): QuantityHistory[] {
  const quality = [
    ...Map.groupBy(evaluations, ({ metric, dataSha256, protocol, base }) =>
      [metric, dataSha256, protocol, base].join(' '),
    ).values(),
  ].flatMap((records) => {
    const [first] = records;
    if (!first) return [];
    const readings = records.map((record) => ({ record, reading: readEvaluation(record) }));
    return [
      { key: `quality:${first.metric}` as const, label: first.data, entries: entriesOf(readings) },
    ];
  });
  const speed = [
    ...Map.groupBy(benches, ({ request }) =>
      [request.form, request.promptTokens, request.newTokens, request.batch].join(' '),
    ).values(),
  ].flatMap((records) =>
    benchKeys.flatMap((key) => {
      const [first] = records;
      const readings = records.flatMap((record) => {
        const reading = readBench(key, record);
        return reading ? [{ record, reading }] : [];
      });
      if (!first || readings.length === 0) return [];
      const { promptTokens, newTokens } = first.request;
      const label = `${promptTokens} + ${newTokens} tokens`;
      return [{ key, label, entries: entriesOf(readings) }];
    }),
  );
  return [...quality, ...speed];
}

function entriesOf(
  readings: readonly { readonly record: Circumstances; readonly reading: Reading }[],
): HistoryEntry[] {
  const sorted = readings.toSorted((a, b) => a.record.measuredAt - b.record.measuredAt);
  return sorted.map(({ record, reading }, index) => {
    const before = sorted[index - 1];
    return {
      at: record.measuredAt,
      reading,
      changes: before ? changesBetween(before.record, record) : [],
      moved: before ? movedBetween(before.reading, reading) : null,
    };
  });
}

/** Whether two values are further apart than their intervals explain; null where none has one. */
function movedBetween(before: Reading, after: Reading): boolean | null {
  if (before.ci95 === null && after.ci95 === null) return null;
  const [low, high] = before.ci95 ?? [before.value, before.value];
  const [from, to] = after.ci95 ?? [after.value, after.value];
  return from > high || to < low;
}
