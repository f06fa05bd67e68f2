import { drawScaleLegend, scaleLegendHeight, type Shades, type ValueScale } from './cells.ts';
import type { Box, Cells, Surface } from './surface.ts';

/** The part of a square map that is shown, in cells. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** One row or one column of the map. */
export interface Focus {
  readonly axis: 'row' | 'column';
  readonly index: number;
}

export interface Heatmap {
  /** Rows and columns. */
  readonly tokens: number;
  /** Text of each, spaces made visible. */
  readonly labels: readonly string[];
  /** As many cells as there are tokens, or fewer where they are pooled. */
  readonly cells: Cells;
  readonly window: Window;
  readonly scale: ValueScale;
  readonly shades: Shades;
  /** What the colours measure. */
  readonly caption: string;
}

const left = 112;
const top = 88;
const right = 16;
const labelRoom = 14;
const longestLabel = 12;

/** Where the map lies on a surface of this size: as large as fits, the legend below. */
export function mapBox(width: number, height: number): Box {
  const side = Math.max(
    64,
    Math.floor(Math.min(width - left - right, height - top - scaleLegendHeight - 24)),
  );
  return { x: left, y: top, width: side, height: side };
}

/** The whole map. */
export const wholeMap = (tokens: number): Window => ({ x: 0, y: 0, size: Math.max(1, tokens) });

/** The window moved by cells, never out of the map. */
export function movedBy({ x, y, size }: Window, tokens: number, dx: number, dy: number): Window {
  const most = Math.max(0, tokens - size);
  const within = (value: number): number => Math.min(most, Math.max(0, value));
  return { x: within(x + dx), y: within(y + dy), size };
}

/** The window `factor` times as wide around a point that stays where it is, in shares of the map. */
export function zoomed(window: Window, tokens: number, factor: number, at = [0.5, 0.5]): Window {
  const least = Math.min(4, tokens);
  const size = Math.min(tokens, Math.max(least, window.size * factor));
  const gone = window.size - size;
  const [x = 0.5, y = 0.5] = at;
  return movedBy({ x: window.x, y: window.y, size }, tokens, gone * x, gone * y);
}

/** The cell at a point of the surface; null beside the map. */
export function cellAt(
  box: Box,
  { x, y, size }: Window,
  tokens: number,
  point: readonly [number, number],
): { row: number; column: number } | null {
  const column = Math.floor(x + ((point[0] - box.x) / box.width) * size);
  const row = Math.floor(y + ((point[1] - box.y) / box.height) * size);
  const isIn = (value: number, from: number): boolean =>
    value >= Math.floor(from) && value < Math.min(tokens, from + size);
  return isIn(column, x) && isIn(row, y) ? { row, column } : null;
}

/** Draws a square map with a token at every row and column, as many of them named as have room. */
export function drawHeatmap(surface: Surface, map: Heatmap, width: number, height: number): void {
  const { tokens, labels, cells, window, scale, shades, caption } = map;
  const box = mapBox(width, height);
  const share = cells.columns / Math.max(1, tokens);
  const part = {
    x: window.x * share,
    y: window.y * share,
    width: window.size * share,
    height: window.size * share,
  };
  surface.within(box, () => surface.cells(box, cells, part));
  surface.outline(box, 'var(--lathe-line)', 1);

  const cell = box.width / window.size;
  for (const { index, text } of axisLabels(labels, window, cell)) {
    const across = box.x + (index + 0.5 - window.x) * cell;
    const down = box.y + (index + 0.5 - window.y) * cell;
    const style = { color: 'var(--lathe-text)', mono: true, size: 10 } as const;
    if (isWithin(index, window.x, window.size))
      surface.text(across, box.y - 6, text, { ...style, turn: -60 });
    if (isWithin(index, window.y, window.size))
      surface.text(box.x - 6, down, text, { ...style, anchor: 'end' });
  }
  surface.text(8, box.y - 8, 'looks ↓  at →', { color: 'var(--lathe-dim)', size: 10 });
  const legend = { x: box.x, y: box.y + box.height + 12, width: width - box.x };
  drawScaleLegend(surface, legend, { scale, shades, caption });
}

const isWithin = (index: number, from: number, size: number): boolean =>
  index + 0.5 >= from && index + 0.5 <= from + size;

/**
 * Names for an axis with this many pixels per token. Where every token has room, its text; else the
 * first of every 2, 5, 10 … with its number, so that what is left out can be told.
 */
export function axisLabels(
  labels: readonly string[],
  { x, y, size }: Window,
  cell: number,
): { index: number; text: string }[] {
  const every =
    [1, 2, 5, 10, 20, 50, 100, 200, 500].find((step) => step * cell >= labelRoom) ?? 1000;
  const from = Math.max(0, Math.floor(Math.min(x, y)));
  const to = Math.min(labels.length, Math.ceil(Math.max(x, y) + size));
  const result: { index: number; text: string }[] = [];
  for (let index = Math.ceil(from / every) * every; index < to; index += every) {
    const text = shortened(labels[index] ?? '');
    result.push({ index, text: every === 1 ? text : `${index} ${text}` });
  }
  return result;
}

/** A token in the room that an axis has. */
export const shortened = (label: string): string => {
  const characters = Array.from(label);
  return characters.length > longestLabel
    ? `${characters.slice(0, longestLabel - 1).join('')}…`
    : label;
};

/** Marks the cell under the pointer and dims what is not in focus. */
export function drawHeatmapMarks(
  surface: Surface,
  { box, window }: { box: Box; window: Window },
  { pointed, focus }: { pointed: { row: number; column: number } | null; focus: Focus | null },
): void {
  const cell = box.width / window.size;
  const across = (column: number): number => box.x + (column - window.x) * cell;
  const down = (row: number): number => box.y + (row - window.y) * cell;
  surface.within(box, () => {
    if (focus) {
      const shade = 'color-mix(in srgb, var(--lathe-surface) 72%, transparent)';
      const isRow = focus.axis === 'row';
      const at = isRow ? down(focus.index) : across(focus.index);
      const [start, end] = isRow ? [box.y, box.y + box.height] : [box.x, box.x + box.width];
      for (const [from, to] of [
        [start, Math.max(start, at)],
        [Math.min(end, at + cell), end],
      ] as const) {
        surface.rect(
          isRow
            ? { x: box.x, y: from, width: box.width, height: to - from }
            : { x: from, y: box.y, width: to - from, height: box.height },
          shade,
        );
      }
    }
    if (pointed) {
      const stroke = { color: 'var(--lathe-text)', width: 1, opacity: 0.4 };
      const x = across(pointed.column) + cell / 2;
      const y = down(pointed.row) + cell / 2;
      surface.line([box.x, y], [box.x + box.width, y], stroke);
      surface.line([x, box.y], [x, box.y + box.height], stroke);
      const side = Math.max(cell, 4);
      surface.outline(
        { x: x - side / 2, y: y - side / 2, width: side, height: side },
        'var(--lathe-bad)',
        1.5,
      );
    }
  });
}
