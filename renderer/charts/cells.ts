import { interpolateRgb, interpolateViridis, rgb } from 'd3';
import type { Box, Cells, Surface } from './surface.ts';

/** How values become places on a scale of colours, 0 … 1. */
export interface ValueScale {
  readonly kind: 'linear' | 'log' | 'diverging';
  readonly least: number;
  readonly most: number;
}

/** 256 colours as red, green and blue. */
export type Shades = Uint8Array;

const count = 256;

const shadesOf = (color: (position: number) => string): Shades =>
  Uint8Array.from(
    Array.from({ length: count }, (_, shade) => {
      const { r, g, b } = rgb(color(shade / (count - 1)));
      return [r, g, b];
    }).flat(),
  );

/** For values that begin at a least one. */
export const viridis: Shades = shadesOf(interpolateViridis);

/** For values to both sides of zero, which is the ground itself. */
export const divergingColors = (less: string, ground: string, more: string): Shades =>
  shadesOf((position) =>
    position < 0.5
      ? interpolateRgb(less, ground)(position * 2)
      : interpolateRgb(ground, more)(position * 2 - 1),
  );

/** The place of a value on the scale. */
export function placeOf({ kind, least, most }: ValueScale, value: number): number {
  if (kind === 'log') {
    return value <= least ? 0 : Math.min(1, Math.log(value / least) / Math.log(most / least));
  }
  return most === least ? 0 : Math.min(1, Math.max(0, (value - least) / (most - least)));
}

/** The colour of a value as text. */
export function colorOf(scale: ValueScale, shades: Shades, value: number): string {
  const at = Math.round(placeOf(scale, value) * (count - 1)) * 3;
  return rgb(shades[at] ?? 0, shades[at + 1] ?? 0, shades[at + 2] ?? 0).formatHex();
}

/** Numbers row by row, and which of them are not there. */
export interface Matrix {
  readonly columns: number;
  readonly rows: number;
  readonly data: Float32Array;
}

/** The colours as pixels in memory; every platform that the studio runs on is little-endian. */
const pixelsOf = (shades: Shades): Uint32Array =>
  Uint32Array.from({ length: count }, (_, shade) => {
    const [red = 0, green = 0, blue = 0] = shades.subarray(shade * 3);
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });

/** The number of a value's colour; what depends on the scale alone is computed once. */
function shaderOf({ kind, least, most }: ValueScale): (value: number) => number {
  const last = count - 1;
  const within = (shade: number): number => (shade < 0 ? 0 : shade > last ? last : shade + 0.5) | 0;
  if (kind === 'log') {
    const start = Math.log(least);
    const step = last / (Math.log(most) - start);
    return (value) => (value <= least ? 0 : within((Math.log(value) - start) * step));
  }
  const step = most === least ? 0 : last / (most - least);
  return (value) => within((value - least) * step);
}

/**
 * Colours every value. What a causal model hides lets the ground show: behind the diagonal what is
 * nothing, and −∞ anywhere.
 */
export function paint({ columns, rows, data }: Matrix, scale: ValueScale, shades: Shades): Cells {
  const rgba = new Uint8ClampedArray(columns * rows * 4);
  const pixels = new Uint32Array(rgba.buffer);
  const colors = pixelsOf(shades);
  const shadeOf = shaderOf(scale);
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1, at += 1) {
      const value = data[at] ?? 0;
      if (value === 0 && column > row) continue;
      if (value === -Infinity || Number.isNaN(value)) continue;
      pixels[at] = colors[shadeOf(value)] ?? 0;
    }
  }
  return { columns, rows, rgba };
}

/** Blocks of cells as one each, the value of the largest: a thin line stays in sight. */
export function pooled({ columns, rows, data }: Matrix, factor: number): Matrix {
  if (factor <= 1) return { columns, rows, data };
  const wide = Math.ceil(columns / factor);
  const high = Math.ceil(rows / factor);
  const result = new Float32Array(wide * high).fill(-Infinity);
  for (let row = 0; row < rows; row += 1) {
    const start = Math.floor(row / factor) * wide;
    for (let column = 0; column < columns; column += 1) {
      const value = data[row * columns + column] ?? 0;
      const at = start + Math.floor(column / factor);
      if (Math.abs(value) > Math.abs(result[at] ?? 0) || result[at] === -Infinity)
        result[at] = value;
    }
  }
  return { columns: wide, rows: high, data: result };
}

/** Least and largest of the values that are finite; [0, 1] where there are none. */
export function rangeOf(data: Float32Array): readonly [least: number, most: number] {
  let least = Infinity;
  let most = -Infinity;
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return least > most ? [0, 1] : [least, most];
}

export const scaleLegendHeight = 28;

/** Draws the colours with their values and what they measure. */
export function drawScaleLegend(
  surface: Surface,
  { x, y, width }: Pick<Box, 'x' | 'y' | 'width'>,
  { scale, shades, caption }: { scale: ValueScale; shades: Shades; caption: string },
): void {
  const rgba = new Uint8ClampedArray(count * 4).fill(255);
  for (let shade = 0; shade < count; shade += 1) {
    rgba.set(shades.subarray(shade * 3, shade * 3 + 3), shade * 4);
  }
  const bar = Math.min(160, Math.max(64, width - 160));
  surface.cells({ x, y, width: bar, height: 8 }, { columns: count, rows: 1, rgba });
  const { kind, least, most } = scale;
  const middle = kind === 'log' ? Math.sqrt(least * most) : (least + most) / 2;
  const tick = (at: number, value: number, anchor: 'start' | 'middle' | 'end') =>
    surface.text(x + at, y + 18, figure(value), { color: 'var(--lathe-dim)', size: 10, anchor });
  tick(0, least, 'start');
  if (bar >= 120) tick(bar / 2, middle, 'middle');
  tick(bar, most, 'end');
  surface.text(x + bar + 16, y + 4, kind === 'log' ? `${caption}, logarithmic` : caption, {
    color: 'var(--lathe-dim)',
  });
}

/** A value in few characters: three digits that count. */
export function figure(value: number): string {
  if (value === -Infinity) return '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text = size < 1e-3 || size >= 1e5 ? value.toExponential(1) : Number(value.toPrecision(3));
  return String(text).replace('e+', 'e').replaceAll('-', '−');
}
