import { colorOf, drawScaleLegend, viridis, type ValueScale } from './cells.ts';
import { textOn } from './sheet.ts';
import { shortened } from './heatmap.ts';
import type { Box, Cells, Surface } from './surface.ts';

/** What each layer would say at each position. */
export interface LensPicture {
  /** The embedding, then each block. */
  readonly rows: number;
  readonly positions: number;
  /** Tokens of the text, above their columns. */
  readonly labels: readonly string[];
  /** The most probable token of each row and position. */
  readonly tops: (row: number, position: number) => string;
  /** What the colours show, [rows, positions]. */
  readonly values: Float32Array;
  readonly scale: ValueScale;
  readonly caption: string;
  /** The same places small, in the colours of another value: shown as a strip below. */
  readonly strip: { readonly cells: Cells; readonly scale: ValueScale; readonly caption: string };
}

export interface LensPlace {
  readonly row: number;
  readonly position: number;
}

const left = 64;
const top = 24;
const cell = { width: 72, height: 24 };
const legendHeight = 72;
/** The legend needs so much, however short the text is. */
const leastWidth = 400;
const stripGap = 8;

/** The strip below is as high as it takes to tell its rows apart. */
const stripHeight = (rows: number): number =>
  rows * Math.max(2, Math.min(8, Math.floor(96 / rows)));

export const lensSize = ({ rows, positions }: Pick<LensPicture, 'rows' | 'positions'>) => ({
  width: Math.max(leastWidth, left + positions * cell.width + 8),
  height: top + rows * cell.height + stripGap + stripHeight(rows) + legendHeight,
});

/** The cell at a point of the whole grid; the names at its left are `scrolled` with it. */
export function lensAt(
  { rows, positions }: Pick<LensPicture, 'rows' | 'positions'>,
  point: readonly [number, number],
): LensPlace | null {
  const position = Math.floor((point[0] - left) / cell.width);
  const row = Math.floor((point[1] - top) / cell.height);
  return position >= 0 && position < positions && row >= 0 && row < rows ? { row, position } : null;
}

export const lensBox = ({ row, position }: LensPlace): Box => ({
  x: left + position * cell.width,
  y: top + row * cell.height,
  width: cell.width,
  height: cell.height,
});

/** Name of a row. */
export const rowName = (row: number): string => (row === 0 ? 'embed' : `layer ${row - 1}`);

/** Marks a column, and the cell pointed at, where the grid is shown. */
export function drawLensMarks(
  surface: Surface,
  { rows, position, pointed }: { rows: number; position: number; pointed: LensPlace | null },
  shown: Box,
): void {
  const grid = { ...shown, x: shown.x + left - 4, y: shown.y + top - 2 };
  surface.within(grid, () => {
    const column = lensBox({ row: 0, position });
    const height = column.height * rows;
    surface.outline({ ...column, height, width: column.width - 1 }, 'var(--lathe-accent)', 2);
    if (!pointed) return;
    const box = lensBox(pointed);
    surface.outline({ ...box, width: box.width - 1 }, 'var(--lathe-text)', 1.5);
  });
}

/** Draws the part of the grid that is shown; names of rows and columns stay at its edges. */
export function drawLens(surface: Surface, picture: LensPicture, shown: Box): void {
  const { rows, positions, labels, tops, values, scale, caption, strip } = picture;
  const from = Math.max(0, Math.floor((shown.x - left) / cell.width));
  const to = Math.min(positions, Math.ceil((shown.x + shown.width - left) / cell.width));
  for (let row = 0; row < rows; row += 1) {
    for (let position = from; position < to; position += 1) {
      const box = lensBox({ row, position });
      const fill = colorOf(scale, viridis, values[row * positions + position] ?? 0);
      surface.rect({ ...box, width: cell.width - 1, height: cell.height - 1 }, fill);
      const text = shortened(tops(row, position)).slice(0, 10);
      surface.text(box.x + cell.width / 2, box.y + cell.height / 2, text, {
        color: textOn(fill),
        anchor: 'middle',
        mono: true,
        size: 10,
      });
    }
  }
  const below = {
    x: left,
    y: top + rows * cell.height + stripGap,
    width: positions * cell.width,
    height: stripHeight(rows),
  };
  surface.within({ ...below, x: shown.x, width: shown.width }, () =>
    surface.cells(below, strip.cells),
  );
  const ground = 'var(--lathe-surface)';
  const { height } = lensSize(picture);
  surface.rect({ x: shown.x, y: shown.y, width: shown.width, height: top - 2 }, ground);
  for (let position = from; position < to; position += 1) {
    const text = shortened(labels[position] ?? '').slice(0, 10);
    const x = left + (position + 0.5) * cell.width;
    surface.text(x, shown.y + 12, text, {
      color: 'var(--lathe-text)',
      anchor: 'middle',
      mono: true,
      size: 10,
    });
  }
  surface.rect({ x: shown.x, y: shown.y, width: left - 4, height: shown.height }, ground);
  for (let row = 0; row < rows; row += 1) {
    const y = top + (row + 0.5) * cell.height;
    if (y < shown.y + top) continue;
    surface.text(shown.x + left - 8, y, rowName(row), { color: 'var(--lathe-dim)', anchor: 'end' });
  }
  const middle = below.y + below.height / 2;
  surface.text(shown.x + left - 8, middle, 'norm', { color: 'var(--lathe-dim)', anchor: 'end' });
  surface.rect({ x: shown.x, y: shown.y, width: left - 4, height: top - 2 }, ground);
  const legend = { x: shown.x + left, y: height - legendHeight + 8, width: 320 };
  drawScaleLegend(surface, legend, { scale, shades: viridis, caption });
  const second = { ...legend, y: legend.y + 32 };
  drawScaleLegend(surface, second, { ...strip, shades: viridis });
}
