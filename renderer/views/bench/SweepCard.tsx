import { useCallback, useMemo } from 'react';
import type { BenchRecord, SweepPoint } from '../../../preload/contract/index.ts';
import { drawCurves, stopAt, type CurvePoint } from '../../charts/curves.ts';
import { sweepTable } from '../../state/benchFiles.ts';
import { formatCount, formatRate } from '../../ui/format.ts';
import { csvOf, formatMs } from './benchWords.ts';
import { ReadChart } from './ReadChart.tsx';
import type { Shown } from './shown.ts';

/** One picture of a sweep: what is varied, and what is drawn of it. */
export interface SweepPicture {
  readonly key: string;
  readonly title: string;
  readonly caption: string;
  /** What is varied, and its column in a file. */
  readonly stops: string;
  readonly column: string;
  readonly points: (record: BenchRecord) => readonly SweepPoint[];
  readonly value: (point: SweepPoint) => Omit<CurvePoint, 'x'>;
  readonly unit: 'ms' | 'tok/s';
}

const ttft = ({ ttft: { p50, p90 } }: SweepPoint) => ({ y: p50, high: p90 });
const step = ({ decode: { p50, p90 } }: SweepPoint) => ({ y: p50, high: p90 });
const rate = ({ decode: { tokensPerSecond } }: SweepPoint) => ({ y: tokensPerSecond });

/** The pictures in the order they stand. */
export const sweepPictures: readonly SweepPicture[] = [
  {
    key: 'context-ttft',
    title: 'First token against context',
    caption: 'Time to first token, ms',
    stops: 'Prompt tokens',
    column: 'prompt_tokens',
    points: ({ contexts }) => contexts,
    value: ttft,
    unit: 'ms',
  },
  {
    key: 'context-decode',
    title: 'Decode against context',
    caption: 'Inter-token latency, ms',
    stops: 'Prompt tokens',
    column: 'prompt_tokens',
    points: ({ contexts }) => contexts,
    value: step,
    unit: 'ms',
  },
  {
    key: 'batch',
    title: 'Throughput against batch',
    caption: 'Tokens per second, all rows of the batch together',
    stops: 'Batch size',
    column: 'batch',
    points: ({ batches }) => batches,
    value: rate,
    unit: 'tok/s',
  },
  {
    key: 'threads',
    title: 'Speed against threads',
    caption: 'Tokens per second',
    stops: 'Threads',
    column: 'threads',
    points: ({ threadCounts }) => threadCounts,
    value: rate,
    unit: 'tok/s',
  },
];

interface SweepCardProps {
  picture: SweepPicture;
  shown: readonly Shown[];
  name: string;
}

/** One thing varied, and what it does to the speed of each measurement. */
export function SweepCard({ picture, shown, name }: SweepCardProps) {
  const { title, caption, stops, points, value, unit } = picture;
  const curves = useMemo(
    () =>
      shown.map(({ record, label, color }) => ({
        label,
        color,
        points: points(record).map((point) => ({ x: point.at, ...value(point) })),
      })),
    [shown, points, value],
  );
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => {
      const isSpread = curves.some(({ points: all }) => all.some(({ high }) => high !== undefined));
      const whole = isSpread ? `${caption}; whisker to P90` : caption;
      drawCurves(svg, { caption: whole, stops, curves }, width);
    },
    [caption, stops, curves],
  );
  const figure = (y: number): string => (unit === 'ms' ? formatMs(y) : `${formatRate(y)} tok/s`);
  const read = (stop: number): string =>
    `${stops} ${formatCount(stop)}: ${curves
      .flatMap(({ label, points: all }) => {
        const point = all.find(({ x }) => x === stop);
        return point ? `${figure(point.y)} ${label}` : [];
      })
      .join(' · ')}`;
  return (
    <ReadChart
      title={title}
      label={`${title}: ${shown.map(({ label }) => label).join(', ')}`}
      draw={draw}
      find={(width, at) => stopAt(curves, width, at)}
      read={read}
      idle={samplesOf(shown.flatMap(({ record }) => points(record)))}
      save={{
        name: `${name}-${picture.key}`,
        csv: () =>
          csvOf(
            sweepTable(
              points,
              picture.column,
              shown.map(({ record }) => record),
            ),
          ),
      }}
    />
  );
}

/** How many samples each stop has, where that is the same everywhere. */
function samplesOf(points: readonly SweepPoint[]): string {
  const counts = [...new Set(points.map(({ decode }) => decode.samples))].toSorted((a, b) => a - b);
  const [least = 0] = counts;
  const most = counts.at(-1) ?? 0;
  return `Medians of ${least === most ? '' : `${formatCount(least)} to `}${formatCount(most)} steps at each stop.`;
}
