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
import { csvOf, formatMs } from './benchWords.ts';
import { ReadChart } from './ReadChart.tsx';
import type { Shown } from './shown.ts';

/** How long it takes from token to token: how often each time came, and percentiles. */
export function LatencyCard({ shown, name }: { shown: readonly Shown[]; name: string }) {
  const series = useMemo(() => shown.map(seriesOf), [shown]);
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawLatency(svg, series, width),
    [series],
  );
  const find = (width: number, at: number): number | null => timeAt(series, width, at);
  const records = shown.map(({ record }) => record);
  return (
    <ReadChart
      title="Inter-token latency"
      label={`Distribution of the inter-token latency of ${shown.map(({ label }) => label).join(', ')}`}
      draw={draw}
      find={find}
      read={(ms) =>
        `Up to ${formatMs(ms)}: ${series
          .map(({ label, sorted }) => `${(shareUpTo(sorted, ms) * 100).toFixed(1)} % of ${label}`)
          .join(' · ')}`
      }
      idle={shown.map(absentOf).join(' ')}
      save={{
        name: `${name}-latency`,
        csv: () => csvOf(samplesTable(records)),
      }}
    />
  );
}

/** A choice of other measurements does not sort the same samples again. */
const sorted = new WeakMap<readonly number[], Float64Array>();

function sortedOnce(samples: readonly number[]): Float64Array {
  const known = sorted.get(samples) ?? sortedTimes(samples);
  sorted.set(samples, known);
  return known;
}

function seriesOf({ record, label, color }: Shown): LatencySeries {
  const { decode, decodeMs } = record;
  const marks = percentiles.flatMap(({ key, name, share }) => {
    const ms = decode[key];
    return ms === undefined ? [] : [{ name, share, ms }];
  });
  return { label, color, marks, sorted: sortedOnce(decodeMs) };
}

/** Which percentiles are missing, and why. */
function absentOf({ record: { decode, decodeMs }, label }: Shown): string {
  const needs = percentiles
    .filter(({ key }) => decode[key] === undefined)
    .map(({ name, samples }) => `${name} needs ${formatCount(samples)}`);
  const kept =
    decodeMs.length < decode.samples ? [`the first ${formatCount(decodeMs.length)} drawn`] : [];
  return `${label}: ${[`${formatCount(decode.samples)} samples`, ...kept, ...needs].join(', ')}.`;
}
