import { useCallback, useMemo } from 'react';
import {
  drawLatency,
  shareUpTo,
  sortedTimes,
  timeAt,
  type LatencySeries,
} from '../../charts/latency.ts';
import { percentiles } from '../../state/benchSetup.ts';
import { samplesTable } from '../../state/benchFiles.ts';
import { formatCount } from '../../ui/format.ts';
import { Loaded } from '../Loaded.tsx';
import { csvOf, formatMs } from './benchWords.ts';
import { ReadChart } from './ReadChart.tsx';
import classes from './Results.module.css';
import type { Shown } from './shown.ts';
import type { Samples } from './useSamples.ts';

interface LatencyCardProps {
  shown: readonly Shown[];
  samples: Samples;
  name: string;
}

const title = 'Inter-token latency';

/** How long it takes from token to token: how often each time came, and percentiles. */
export function LatencyCard({ shown, samples, name }: LatencyCardProps) {
  const { data } = samples;
  const series = useMemo(
    () => shown.flatMap((each, at) => (data?.[at] ? [seriesOf(each, data[at])] : [])),
    [shown, data],
  );
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawLatency(svg, series, width),
    [series],
  );
  const find = (width: number, at: number): number | null =>
    data ? timeAt(series, width, at) : null;
  const records = shown.map(({ record }) => record);
  if (samples.isError)
    return (
      <section aria-label={title} className={classes.card}>
        <h2>{title}</h2>
        <Loaded query={samples}>{() => null}</Loaded>
      </section>
    );
  return (
    <ReadChart
      title={title}
      label={`Distribution of the inter-token latency of ${shown.map(({ label }) => label).join(', ')}`}
      draw={draw}
      find={find}
      read={(ms) =>
        `Up to ${formatMs(ms)}: ${series
          .map(({ label, sorted }) => `${(shareUpTo(sorted, ms) * 100).toFixed(1)} % of ${label}`)
          .join(' · ')}`
      }
      idle={shown.map((each, at) => absentOf(each, data?.[at])).join(' ')}
      save={{
        name: `${name}-latency`,
        ...(data && { csv: () => csvOf(samplesTable(records, data)) }),
      }}
    />
  );
}

function seriesOf(
  { record: { decode }, label, color }: Shown,
  samples: Float64Array,
): LatencySeries {
  const marks = percentiles.flatMap(({ key, name, share }) => {
    const ms = decode[key];
    return ms === undefined ? [] : [{ name, share, ms }];
  });
  return { label, color, marks, sorted: sortedTimes(samples) };
}

/** Which percentiles are missing, and why. */
function absentOf({ record: { decode }, label }: Shown, samples: Float64Array | undefined): string {
  const needs = percentiles
    .filter(({ key }) => decode[key] === undefined)
    .map((each) => `${each.name} needs ${formatCount(each.samples)}`);
  const kept =
    samples && samples.length < decode.samples
      ? [`the first ${formatCount(samples.length)} drawn`]
      : [];
  return `${label}: ${[`${formatCount(decode.samples)} samples`, ...kept, ...needs].join(', ')}.`;
}
