import {
  metrics,
  type BenchRecord,
  type EvaluationRecord,
  type Metric,
} from '../../preload/contract/index.ts';
import { deviceName } from './devices.ts';

/** Measurements whose values may be compared: made on the same data, in the same way. */
export interface Series<Entry> {
  readonly key: string;
  /** What to tell it from the others by. */
  readonly label: string;
  /** The newest first. */
  readonly records: readonly Entry[];
  /** How many models were measured so. */
  readonly models: number;
}

interface Measured {
  readonly modelSha256: string;
  readonly measuredAt: number;
}

/** The sets of measurements of one metric that can be compared, the one with most models first. */
export function evaluationSeries(
  records: readonly EvaluationRecord[],
  metric: Metric,
  familyOf: (model: string) => string,
): Series<EvaluationRecord>[] {
  const mine = records.filter((record) => record.metric === metric);
  /** Variants are held against what they were made from; held against another, they stand apart. */
  const otherBase = ({ model, base }: EvaluationRecord): string =>
    !metrics[metric].needsBase || base === null || base === familyOf(model) ? '' : base;
  return series(
    mine,
    (record) => [record.dataSha256, record.protocol, otherBase(record)].join(' '),
    (record, isAlone) => {
      const { data, n, protocol } = record;
      const base = otherBase(record);
      return [
        shortData(data),
        ...(isAlone ? [] : [`${n} items`, protocol]),
        ...(base === '' ? [] : [`against ${base}`]),
      ].join(', ');
    },
  );
}

/** The sets of measurements of speed that can be compared, the one with most models first. */
export const benchSeries = (records: readonly BenchRecord[]): Series<BenchRecord>[] =>
  series(
    records,
    ({ request, device, threads, machine }) =>
      [
        request.form,
        request.promptTokens,
        request.newTokens,
        request.batch,
        device,
        threads,
        machine.cpu,
      ].join(' '),
    ({ request, device, threads }) =>
      [
        `${request.promptTokens} + ${request.newTokens} tokens`,
        ...(request.batch > 1 ? [`batch ${request.batch}`] : []),
        ...(request.form === 'plain' ? ['plain form'] : []),
        `${deviceName(device)}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      ].join(', '),
  );

function series<Entry extends Measured>(
  records: readonly Entry[],
  keyOf: (record: Entry) => string,
  labelOf: (newest: Entry, isAlone: boolean) => string,
): Series<Entry>[] {
  const groups = [...Map.groupBy(records, keyOf)].map(([key, members]) => ({
    key,
    records: members.toSorted((a, b) => b.measuredAt - a.measuredAt),
    models: new Set(members.map(({ modelSha256 }) => modelSha256)).size,
  }));
  const newest = ({ records: [first] }: { records: Entry[] }): number => first?.measuredAt ?? 0;
  return groups
    .toSorted((a, b) => b.models - a.models || newest(b) - newest(a))
    .map(({ records: members, ...group }) => ({
      ...group,
      records: members,
      label: members[0] ? labelOf(members[0], groups.length === 1) : '',
    }));
}

/** A data set by its name, a file by its last part. */
export const shortData = (data: string): string =>
  data.split(/[/\\]/).findLast((part) => part !== '') ?? data;
