import type { BenchFigure } from '../../state/benchFigures.ts';
import type { Table } from '../../state/benchFiles.ts';
import { formatBytes, formatRate } from '../../ui/format.ts';
import { toCsv } from '../../ui/save.ts';

/** Milliseconds with three digits that count: `0.482 ms`, `12.4 ms`, `1.83 s`. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toPrecision(3)} s`;
  return `${ms < 0.01 ? ms.toPrecision(1) : ms.toPrecision(3)} ms`;
}

/** A figure with its unit. */
export function formatFigure({ unit }: BenchFigure, value: number): string {
  switch (unit) {
    case 'ms':
      return formatMs(value);
    case 'bytes':
      return formatBytes(value);
    case 'tokens per second':
      return `${formatRate(value)} tok/s`;
    case 'joules':
      return value < 0.1 ? `${(value * 1000).toPrecision(3)} mJ` : `${value.toPrecision(3)} J`;
    case 'money':
      return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
  }
}

/** Differences below this come and go from one run to the next. */
const noise = 0.02;

/** How much a ratio is above or below one: `12 % more`; null where it is next to nothing. */
export function formatChange(ratio: number, more = 'more', less = 'less'): string | null {
  if (Math.abs(ratio - 1) < noise || !Number.isFinite(ratio)) return null;
  const percent = Math.round(Math.abs(ratio - 1) * 100);
  if (ratio >= 2) return `${ratio.toFixed(1)}× ${more}`;
  return `${percent} % ${ratio > 1 ? more : less}`;
}

/** Names of files: what a file system or a shell could stumble over becomes a dash. */
export const fileName = (text: string): string => text.replaceAll(/[^\w.+-]+/g, '-');

export const csvOf = ({ header, rows }: Table): string => toCsv(header, rows);
