import { LatheError } from '../../preload/contract/errors.ts';
import { metrics, type DataKind, type Metric } from '../../preload/contract/evaluation.ts';

/** The metrics that read data of a kind. */
export type MetricOf<Kind extends DataKind> = {
  [Name in Metric]: (typeof metrics)[Name]['reads'] extends Kind ? Name : never;
}[Metric];

/** Throws `usage` for a metric that reads data of another kind. */
export function checkReads<Kind extends DataKind>(
  metric: Metric,
  kind: Kind,
): asserts metric is MetricOf<Kind> {
  const { reads } = metrics[metric];
  if (reads === kind) return;
  throw new LatheError('usage', `${metric} reads ${reads}, the data are ${kind}`, {
    value: metric,
  });
}
