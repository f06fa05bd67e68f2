import { drawScaleLegend, paint, scaleLegendHeight, viridis, type ValueScale } from './cells.ts';
import type { Box, Surface } from './surface.ts';

/** An error for each part of a matrix. */
export interface ErrorGrid {
  readonly gridRows: number;
  readonly gridColumns: number;
  /** Row by row. */
  readonly values: Float32Array;
  /** Output and input channels of the whole matrix. */
  readonly rows: number;
  readonly columns: number;
}

const left = 64;
const top = 24;
const right = 8;
const [lowest, highest] = [96, 256];

/** Where the grid lies at a width: as high as the matrix is beside its width, within reason. */
export function gridBox({ rows, columns }: ErrorGrid, width: number): Box {
  const wide = Math.max(64, width - left - right);
  const high = Math.round((wide * rows) / Math.max(1, columns));
  return { x: left, y: top, width: wide, height: Math.min(highest, Math.max(lowest, high)) };
}

export function gridSize(grid: ErrorGrid, width: number): { width: number; height: number } {
  return { width, height: top + gridBox(grid, width).height + scaleLegendHeight + 12 };
}

/** The part at a point, as indices of the grid; null beside it. */
export function partAt(
  grid: ErrorGrid,
  width: number,
  [x, y]: readonly [number, number],
): { row: number; column: number } | null {
  const box = gridBox(grid, width);
  const row = Math.floor(((y - box.y) / box.height) * grid.gridRows);
  const column = Math.floor(((x - box.x) / box.width) * grid.gridColumns);
  const isIn = row >= 0 && row < grid.gridRows && column >= 0 && column < grid.gridColumns;
  return isIn ? { row, column } : null;
}

/** Draws the error of each part from nothing to the largest. */
export function drawErrorGrid(surface: Surface, grid: ErrorGrid, width: number): void {
  const { gridRows, gridColumns, values, rows, columns } = grid;
  const box = gridBox(grid, width);
  let most = 0;
  for (const value of values) if (value > most) most = value;
  const scale: ValueScale = { kind: 'linear', least: 0, most: most || 1 };
  // `paint` leaves out zeros behind the diagonal, as a causal model hides them; here all is shown.
  const data = values.map((value) => (value === 0 ? 1e-30 : value));
  surface.cells(box, paint({ rows: gridRows, columns: gridColumns, data }, scale, viridis));
  surface.outline(box, 'var(--lathe-line)', 1);
  const style = { color: 'var(--lathe-dim)', size: 10 } as const;
  surface.text(box.x, box.y - 10, `input channels 0 … ${columns - 1} →`, style);
  surface.text(box.x - 6, box.y + 8, 'output 0', { ...style, anchor: 'end' });
  surface.text(box.x - 6, box.y + box.height - 8, `${rows - 1}`, { ...style, anchor: 'end' });
  drawScaleLegend(
    surface,
    { x: box.x, y: box.y + box.height + 12, width: width - box.x },
    { scale, shades: viridis, caption: 'RMS error of the weights' },
  );
}
