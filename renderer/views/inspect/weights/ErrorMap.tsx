import { useCallback, useState } from 'react';
import { drawErrorGrid, gridSize, partAt, type ErrorGrid } from '../../../charts/errorGrid.ts';
import type { Surface } from '../../../charts/surface.ts';
import { CanvasView, type Size } from '../../../ui/CanvasView.tsx';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { wholeSvg } from '../../../ui/wholePicture.ts';
import { formatFigure } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';

/** Where in the matrix the two models differ. */
export function ErrorMap({ name, grid }: { name: string; grid: ErrorGrid }) {
  const [width, setWidth] = useState(480);
  const [part, setPart] = useState<{ row: number; column: number } | null>(null);
  const draw = useCallback(
    (surface: Surface) => drawErrorGrid(surface, grid, width),
    [grid, width],
  );
  const onRoom = useCallback((room: Size) => setWidth(room.width), []);
  return (
    <section className={parts.section} aria-label="Error by place">
      <div className={parts.head}>
        <h3>Error by place</h3>
        <span>{part && partText(grid, part)}</span>
        <span className={parts.end}>
          <SaveMenu
            label="Save the error map"
            name={`${name}-error`}
            svg={() => wholeSvg(gridSize(grid, width), draw)}
            npy={() => ({ shape: [grid.gridRows, grid.gridColumns], data: grid.values })}
          />
        </span>
      </div>
      <div style={{ height: gridSize(grid, width).height }}>
        <CanvasView
          label="Root mean square error of the weights by place in the matrix"
          size={() => gridSize(grid, width)}
          draw={draw}
          onRoom={onRoom}
          onPoint={(point) => setPart(point && partAt(grid, width, point))}
        />
      </div>
    </section>
  );
}

/** The channels of a part of the grid: `32–63`. */
function span(at: number, count: number, all: number): string {
  const from = Math.floor((at * all) / count);
  const to = Math.max(from, Math.floor(((at + 1) * all) / count) - 1);
  return from === to ? String(from) : `${from}–${to}`;
}

/** Which channels a part covers and its error. */
function partText(grid: ErrorGrid, { row, column }: { row: number; column: number }): string {
  const { rows, columns, gridRows, gridColumns, values } = grid;
  const error = values[row * gridColumns + column] ?? 0;
  return `output ${span(row, gridRows, rows)}, input ${span(column, gridColumns, columns)}: ${formatFigure(error)}`;
}
