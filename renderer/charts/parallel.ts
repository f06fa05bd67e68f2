import { line, scaleLinear, scaleLog, type ScaleContinuousNumeric } from 'd3';
import { figure } from './cells.ts';
import type { Surface } from './surface.ts';

/** One quantity. */
export interface ParallelAxis {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  readonly logarithmic: boolean;
  /** The part that values must lie in; null for all. */
  readonly brush: readonly [low: number, high: number] | null;
}

/** One model: a value per axis, null where it was not measured. */
export interface ParallelLine {
  readonly key: string;
  readonly color: string;
  readonly values: readonly (number | null)[];
}

export interface ParallelPicture {
  readonly axes: readonly ParallelAxis[];
  readonly lines: readonly ParallelLine[];
  /** Empty: none is set apart from the others. */
  readonly selected: ReadonlySet<string>;
}

export interface ParallelLayout {
  readonly picture: ParallelPicture;
  readonly height: number;
  /** Of each axis: where it stands, and its values from bottom to top. */
  readonly places: readonly {
    readonly x: number;
    readonly y: ScaleContinuousNumeric<number, number>;
  }[];
}

const edges = { side: 72, top: 48, bottom: 24 };
/** How near to an axis a drag begins on it, in pixels. */
const reach = 24;

/** Finds the place of every axis: what is better is up. */
export function layOutParallel(
  picture: ParallelPicture,
  { width, height }: { width: number; height: number },
): ParallelLayout {
  const { axes, lines } = picture;
  const step = (width - 2 * edges.side) / Math.max(1, axes.length - 1);
  const bottom = Math.max(edges.top + 32, height - edges.bottom);
  const places = axes.map((axis, index) => {
    const values = lines.flatMap(({ values: all }) => all[index] ?? []);
    const [low, high] = extentOf(values, axis.logarithmic);
    const scale = axis.logarithmic ? scaleLog() : scaleLinear();
    const y = scale
      .domain([low, high])
      .range(axis.better === 'higher' ? [bottom, edges.top] : [edges.top, bottom]);
    return { x: axes.length === 1 ? width / 2 : edges.side + index * step, y };
  });
  return { picture, height, places };
}

function extentOf(values: readonly number[], logarithmic: boolean): readonly [number, number] {
  const fitting = values.filter((value) => !logarithmic || value > 0);
  if (fitting.length === 0) return [logarithmic ? 0.1 : 0, 1];
  const low = Math.min(...fitting);
  const high = Math.max(...fitting);
  if (low !== high) return [low, high];
  return logarithmic
    ? [low / 2, high * 2]
    : [low - (Math.abs(low) || 1), high + (Math.abs(high) || 1)];
}

/** Draws a line per model across all axes; it is broken where a value is missing. */
export function drawParallel(surface: Surface, { picture, places }: ParallelLayout): void {
  const { lines, selected, axes } = picture;
  const path = line<number | null>()
    .defined((value, index) => value !== null && Number.isFinite(places[index]?.y(value)))
    .x((_, index) => round(places[index]?.x ?? 0))
    .y((value, index) => round(places[index]?.y(value ?? 0) ?? 0));
  const draw = (isSelected: boolean): void => {
    for (const { key, color, values } of lines) {
      if (selected.has(key) !== isSelected) continue;
      const isFaint = selected.size > 0 && !isSelected;
      surface.path(path(values) ?? '', {
        stroke: isFaint ? 'var(--lathe-line-strong)' : color,
        width: isSelected ? 2 : 1.5,
        opacity: isFaint ? 0.35 : 0.85,
      });
    }
  };
  draw(false);
  draw(true);
  for (const [index, axis] of axes.entries()) {
    const place = places[index];
    if (place) drawAxis(surface, axis, place);
  }
}

function drawAxis(
  surface: Surface,
  { title, unit, better, brush }: ParallelAxis,
  { x, y }: ParallelLayout['places'][number],
): void {
  const [low = 0, high = 1] = y.domain();
  const [from = 0, to = 0] = y.range();
  const [top, bottom] = [Math.min(from, to), Math.max(from, to)];
  surface.line([x, top], [x, bottom], { color: 'var(--lathe-dim)', width: 1 });
  surface.text(x, top - 34, title, { color: 'var(--lathe-text)', anchor: 'middle' });
  const facts = [unit, better === 'lower' ? 'less is better' : 'more is better'];
  surface.text(x, top - 20, facts.filter((text) => text !== '').join(', '), {
    color: 'var(--lathe-dim)',
    anchor: 'middle',
    size: 10,
  });
  for (const value of [low, high]) {
    const at = y(value);
    surface.text(x, at + (at === top ? -7 : 10), figure(value), {
      color: 'var(--lathe-dim)',
      anchor: 'middle',
    });
  }
  if (!brush) return;
  const ends = brush.map((value) => Math.min(bottom, Math.max(top, y(value))));
  const box = {
    x: x - 6,
    y: Math.min(...ends),
    width: 12,
    height: Math.max(...ends) - Math.min(...ends),
  };
  surface.path(`M${box.x},${box.y}h12v${box.height}h-12Z`, {
    fill: 'var(--lathe-accent)',
    opacity: 0.25,
  });
  surface.outline(box, 'var(--lathe-accent)', 1);
}

/** Index of the axis at a place; null where none is near. */
export function axisAt({ places }: ParallelLayout, x: number): number | null {
  const index = places.findIndex((place) => Math.abs(place.x - x) <= reach);
  return index === -1 ? null : index;
}

/** The values between two heights on an axis, the lower first. */
export function brushBetween(
  { places }: ParallelLayout,
  axis: number,
  [from, to]: readonly [number, number],
): readonly [low: number, high: number] | null {
  const y = places[axis]?.y;
  if (!y) return null;
  const [start = 0, end = 0] = y.range();
  const within = (at: number): number =>
    Math.min(Math.max(at, Math.min(start, end)), Math.max(start, end));
  const [a, b] = [y.invert(within(from)), y.invert(within(to))];
  return a < b ? [a, b] : [b, a];
}

/** Keys of the lines that lie in every brush; all where there is none. */
export function linesWithin({ axes, lines }: ParallelPicture): string[] {
  return lines
    .filter(({ values }) =>
      axes.every(({ brush }, index) => {
        const value = values[index] ?? null;
        return brush === null || (value !== null && value >= brush[0] && value <= brush[1]);
      }),
    )
    .map(({ key }) => key);
}

const round = (value: number): number => Math.round(value * 100) / 100;
