import { useCallback, useMemo } from 'react';
import { drawMemoryTrace, memoryAt, momentAt } from '../../charts/memoryTrace.ts';
import { memoryTable } from '../../state/benchFiles.ts';
import { formatBytes } from '../../ui/format.ts';
import { csvOf, formatMs } from './benchWords.ts';
import { ReadChart } from './ReadChart.tsx';
import type { Shown } from './shown.ts';

interface MemoryCardProps {
  shown: readonly Shown[];
  name: string;
  isWide: boolean;
}

/** The memory of the process over time, with what it did meanwhile. */
export function MemoryCard({ shown, name, isWide }: MemoryCardProps) {
  const series = useMemo(
    () =>
      shown.map(({ record: { memory }, label, color }) => ({
        label,
        color,
        ms: memory.ms,
        bytes: memory.bytes,
        phases: memory.phases,
      })),
    [shown],
  );
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawMemoryTrace(svg, series, width),
    [series],
  );
  const read = (ms: number): string =>
    `After ${formatMs(ms)}: ${series
      .flatMap((each) => {
        const held = memoryAt(each, ms);
        return held ? `${formatBytes(held.bytes)} ${each.label}, ${held.phase ?? 'starting'}` : [];
      })
      .join(' · ')}`;
  const [first] = shown;
  const peaks =
    shown.length === 1 && first
      ? first.record.memory.phases.map(
          ({ phase, peakBytes }) => `${formatBytes(peakBytes)} ${phase}`,
        )
      : shown.map(({ record, label }) => `${formatBytes(record.peakRssBytes)} ${label}`);
  return (
    <ReadChart
      title="Memory over time"
      label={`Memory over time of ${shown.map(({ label }) => label).join(', ')}`}
      isWide={isWide}
      draw={draw}
      find={(width, at) => momentAt(series, width, at)}
      read={read}
      idle={`Largest: ${peaks.join(' · ')}`}
      save={{
        name: `${name}-memory`,
        csv: () => csvOf(memoryTable(shown.map(({ record }) => record))),
      }}
    />
  );
}
