import {
  colorOf,
  drawScaleLegend,
  figure,
  viridis,
  type Shades,
  type ValueScale,
} from './cells.ts';
import type { Box, Cells, Surface } from './surface.ts';

/** A place for every head: a row for each layer. */
export interface SheetLayout {
  /** Heads of each layer. */
  readonly heads: readonly number[];
  /** Side of a place in pixels, without the gap behind it. */
  readonly side: number;
}

export interface HeadPlace {
  readonly layer: number;
  readonly head: number;
}

const left = 32;
const top = 24;
const gap = 4;
const legendHeight = 40;

/** Places as large as the width allows, within what is worth looking at. */
export function sheetLayout(
  heads: readonly number[],
  width: number,
  [least, most] = [24, 96],
): SheetLayout {
  const columns = Math.max(1, ...heads);
  const side = Math.floor((width - left - 8) / columns) - gap;
  return { heads, side: Math.min(most, Math.max(least, side)) };
}

export function sheetSize({ heads, side }: SheetLayout): { width: number; height: number } {
  const step = side + gap;
  return {
    width: left + Math.max(1, ...heads) * step,
    height: top + heads.length * step + legendHeight,
  };
}

export const placeBox = ({ side }: SheetLayout, { layer, head }: HeadPlace): Box => ({
  x: left + head * (side + gap),
  y: top + layer * (side + gap),
  width: side,
  height: side,
});

/** The head at a point; null beside them. */
export function headAt(
  { heads, side }: SheetLayout,
  point: readonly [number, number],
): HeadPlace | null {
  const head = Math.floor((point[0] - left) / (side + gap));
  const layer = Math.floor((point[1] - top) / (side + gap));
  return head >= 0 && head < (heads[layer] ?? 0) ? { layer, head } : null;
}

/**
 * All thumbnails as one picture, side by side as on the sheet: each from nothing to its own largest
 * weight, so that a head that spreads its attention is as plain to see as one that does not.
 */
export function sheetCells(data: Float32Array, size: number, heads: readonly number[]): Cells {
  const columns = Math.max(1, ...heads) * size;
  const rows = heads.length * size;
  const rgba = new Uint8ClampedArray(columns * rows * 4);
  let start = 0;
  for (const [layer, count] of heads.entries()) {
    for (let head = 0; head < count; head += 1) {
      const thumbnail = data.subarray(start, start + size * size);
      start += size * size;
      let most = 0;
      for (const value of thumbnail) if (value > most) most = value;
      for (let row = 0; row < size; row += 1) {
        for (let column = 0; column < size; column += 1) {
          const value = thumbnail[row * size + column] ?? 0;
          // A causal model hides what is behind the diagonal.
          if (column > row && value === 0) continue;
          const at = ((layer * size + row) * columns + head * size + column) * 4;
          const shade = most > 0 ? Math.round((value / most) * 255) * 3 : 0;
          rgba[at] = viridis[shade] ?? 0;
          rgba[at + 1] = viridis[shade + 1] ?? 0;
          rgba[at + 2] = viridis[shade + 2] ?? 0;
          rgba[at + 3] = 255;
        }
      }
    }
  }
  return { columns, rows, rgba };
}

/**
 * Draws the thumbnails of all heads. Numbers of heads and legend stay at the edges of the part that is
 * shown, where that is not all.
 */
export function drawSheet(
  surface: Surface,
  layout: SheetLayout,
  { cells, size }: { cells: Cells; size: number },
  shown: Box = wholeSheet(layout),
): void {
  for (const place of placesOf(layout.heads)) {
    const box = placeBox(layout, place);
    const part = { x: place.head * size, y: place.layer * size, width: size, height: size };
    surface.rect(box, 'var(--lathe-track)');
    surface.cells(box, cells, part);
  }
  drawEdges(surface, layout, shown, {
    scale: { kind: 'linear', least: 0, most: 1 },
    shades: viridis,
    caption: 'of each head’s largest weight',
  });
}

export interface HeadValues {
  /** By layer and head; null where the text gives none. */
  readonly values: readonly (readonly (number | null)[])[];
  readonly scale: ValueScale;
  readonly shades: Shades;
  readonly caption: string;
}

/** Draws one value of every head as a colour, and as a number where there is room. */
export function drawHeadValues(
  surface: Surface,
  layout: SheetLayout,
  picture: HeadValues,
  shown: Box = wholeSheet(layout),
): void {
  const { values, scale, shades } = picture;
  for (const place of placesOf(layout.heads)) {
    const box = placeBox(layout, place);
    const value = values[place.layer]?.[place.head] ?? null;
    const fill = value === null ? 'var(--lathe-track)' : colorOf(scale, shades, value);
    surface.rect(box, fill);
    if (layout.side < 36) continue;
    surface.text(
      box.x + box.width / 2,
      box.y + box.height / 2,
      value === null ? '–' : numberIn(scale, value),
      {
        color: value === null ? 'var(--lathe-dim)' : textOn(fill),
        anchor: 'middle',
      },
    );
  }
  drawEdges(surface, layout, shown, picture);
}

/** Two digits behind the point for shares, as few as tell the rest apart. */
const numberIn = ({ most }: ValueScale, value: number): string =>
  most <= 1 ? value.toFixed(2) : figure(Number(value.toPrecision(2)));

/** Black or white, whichever can be read better on a colour. */
export function textOn(fill: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(fill.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.179 ? '#000000' : '#ffffff';
}

export interface HeadMarks {
  readonly pointed: HeadPlace | null;
  readonly shown: HeadPlace | null;
  /** Heads switched off. */
  readonly off: readonly HeadPlace[];
  /** Heads that were looked for; all where none were. */
  readonly found: readonly HeadPlace[] | null;
}

/** Marks heads over the part of the sheet that is shown. */
export function drawHeadMarks(
  surface: Surface,
  layout: SheetLayout,
  marks: HeadMarks,
  shown: Box = wholeSheet(layout),
): void {
  surface.within(placesBox(layout, shown), () => drawMarks(surface, layout, marks));
}

function drawMarks(surface: Surface, layout: SheetLayout, marks: HeadMarks): void {
  const { pointed, shown, off, found } = marks;
  if (found) {
    const names = new Set(found.map(nameOf));
    for (const place of placesOf(layout.heads)) {
      if (names.has(nameOf(place))) continue;
      const shade = 'color-mix(in srgb, var(--lathe-surface) 78%, transparent)';
      surface.rect(placeBox(layout, place), shade);
    }
  }
  for (const place of off) {
    const { x, y, width, height } = placeBox(layout, place);
    const stroke = { color: 'var(--lathe-bad)', width: 2 };
    surface.outline({ x: x + 1, y: y + 1, width: width - 2, height: height - 2 }, stroke.color, 2);
    surface.line([x + 1, y + 1], [x + width - 1, y + height - 1], stroke);
  }
  const frame = (place: HeadPlace, color: string, width: number): void => {
    const { x, y, width: side } = placeBox(layout, place);
    const outer = { x: x - width / 2, y: y - width / 2, width: side + width, height: side + width };
    surface.outline(outer, color, width);
  };
  if (pointed) frame(pointed, 'var(--lathe-text)', 1);
  if (shown) frame(shown, 'var(--lathe-accent)', 2);
}

const nameOf = ({ layer, head }: HeadPlace): string => `${layer}.${head}`;

function* placesOf(heads: readonly number[]): Generator<HeadPlace> {
  for (const [layer, count] of heads.entries()) {
    for (let head = 0; head < count; head += 1) yield { layer, head };
  }
}

const wholeSheet = (layout: SheetLayout): Box => ({ x: 0, y: 0, ...sheetSize(layout) });

/** What of the part that is shown is left to the heads: numbers stand above, the legend below. */
function placesBox(layout: SheetLayout, { x, y, width, height }: Box): Box {
  const bottom = Math.min(sheetSize(layout).height, y + height) - legendHeight;
  return { x, y: y + top - 3, width, height: Math.max(0, bottom - y - top + 3) };
}

/** Numbers of layers and heads, and what the colours mean. */
function drawEdges(
  surface: Surface,
  layout: SheetLayout,
  shown: Box,
  picture: { scale: ValueScale; shades: Shades; caption: string },
): void {
  const { heads, side } = layout;
  const step = side + gap;
  const style = { color: 'var(--lathe-dim)', size: 10 } as const;
  const ground = 'var(--lathe-surface)';
  for (const layer of heads.keys()) {
    surface.text(left - 8, top + layer * step + side / 2, String(layer), {
      ...style,
      anchor: 'end',
    });
  }
  const size = sheetSize(layout);
  const bottom = Math.min(size.height, shown.y + shown.height) - legendHeight;
  if (shown.y > 0) surface.rect({ x: 0, y: shown.y, width: size.width, height: top - 3 }, ground);
  if (bottom < size.height - legendHeight)
    surface.rect({ x: 0, y: bottom, width: size.width, height: legendHeight }, ground);
  for (let head = 0; head < Math.max(0, ...heads); head += 1) {
    surface.text(left + head * step + side / 2, shown.y + top - 10, String(head), {
      ...style,
      anchor: 'middle',
    });
  }
  surface.text(0, shown.y + top - 10, 'L↓ H→', style);
  drawScaleLegend(surface, { x: shown.x + left, y: bottom + 8, width: 320 }, picture);
}
