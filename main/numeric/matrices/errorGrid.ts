import type { Matrix } from '../linearAlgebra/matrix.ts';

/** A coarse picture of where two matrices differ. */
export interface ErrorGrid {
  readonly gridRows: number;
  readonly gridColumns: number;
  /** Root mean square of a - b in each cell, row by row. */
  readonly grid: Float32Array<ArrayBuffer>;
}

/**
 * Root mean square of the difference of two matrices of one shape, in cells of nearly equal size, at
 * most `most` along each side.
 */
export function errorGrid(a: Matrix, b: Matrix, most: number): ErrorGrid {
  const { rows, columns } = a;
  const gridRows = Math.min(rows, most);
  const gridColumns = Math.min(columns, most);
  const squares = new Float64Array(gridRows * gridColumns);
  const counts = new Float64Array(gridRows * gridColumns);
  for (let row = 0, at = 0; row < rows; row++) {
    const line = Math.floor((row * gridRows) / rows) * gridColumns;
    for (let column = 0; column < columns; column++, at++) {
      const cell = line + Math.floor((column * gridColumns) / columns);
      squares[cell] += (a.data[at] - b.data[at]) ** 2;
      counts[cell]++;
    }
  }
  const grid = Float32Array.from(squares, (sum, cell) => Math.sqrt(sum / counts[cell]));
  return { gridRows, gridColumns, grid };
}
