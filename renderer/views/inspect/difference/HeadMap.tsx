import { useCallback, useMemo, useState } from 'react';
import { paint, pooled, type Shades, type ValueScale } from '../../../charts/cells.ts';
import {
  cellAt,
  drawHeatmap,
  drawHeatmapMarks,
  mapBox,
  movedBy,
  zoomed,
  type Window,
} from '../../../charts/heatmap.ts';
import type { Surface } from '../../../charts/surface.ts';
import { CanvasView, type Size } from '../../../ui/CanvasView.tsx';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { wholeCanvas, wholeSvg } from '../../../ui/wholePicture.ts';
import parts from '../parts/parts.module.css';
import classes from './difference.module.css';

/** A cell of the map; null for none. */
export type Cell = { readonly row: number; readonly column: number } | null;

interface HeadMapProps {
  title: string;
  name: string;
  data: Float32Array;
  scale: ValueScale;
  shades: Shades;
  caption: string;
  tokens: number;
  labels: readonly string[];
  view: Window;
  onView: (view: Window) => void;
  pointed: Cell;
  onPointed: (cell: Cell) => void;
}

/** More rectangles than this no other program wants to open. */
const mostVectorTokens = 128;
const first: Size = { width: 400, height: 420 };

/** One of the maps on canvas: all of them show the same part and mark the same cell. */
export function HeadMap(props: HeadMapProps) {
  const { title, name, data, scale, shades, caption, tokens, labels, view } = props;
  const [room, setRoom] = useState(first);
  const density = window.devicePixelRatio || 1;
  // A cell smaller than a pixel of the screen could fall between two of them.
  const across = mapBox(room.width, room.height).width * density;
  const factor = Math.max(1, Math.floor(view.size / across));
  const cells = useMemo(() => {
    const matrix = { columns: tokens, rows: tokens, data };
    return paint(pooled(matrix, factor), scale, shades);
  }, [data, tokens, factor, scale, shades]);
  const draw = useCallback(
    (surface: Surface) =>
      drawHeatmap(
        surface,
        { tokens, labels, cells, window: view, scale, shades, caption },
        room.width,
        room.height,
      ),
    [tokens, labels, cells, view, scale, shades, caption, room],
  );
  const { pointed, onPointed, onView } = props;
  const box = mapBox(room.width, room.height);
  const marks = useCallback(
    (surface: Surface) =>
      drawHeatmapMarks(
        surface,
        { box: mapBox(room.width, room.height), window: view },
        { pointed, focus: null },
      ),
    [room, view, pointed],
  );
  const onWheel = useCallback(
    ([x, y]: readonly [number, number], delta: number) => {
      const place = mapBox(room.width, room.height);
      const share = [(x - place.x) / place.width, (y - place.y) / place.height];
      onView(zoomed(view, tokens, delta > 0 ? 1.25 : 0.8, share));
    },
    [room, view, tokens, onView],
  );
  const onRoom = useCallback((size: Size) => setRoom(size), []);
  const cell = box.width / view.size;
  return (
    <figure className={classes.map}>
      <figcaption className={parts.head}>
        <h3>{title}</h3>
        <span className={parts.end}>
          <SaveMenu
            label={`Save the map: ${title}`}
            name={name}
            {...(tokens <= mostVectorTokens && { svg: () => wholeSvg(room, draw) })}
            canvas={() => wholeCanvas(room, draw)}
            npy={() => ({ shape: [tokens, tokens], data })}
          />
        </span>
      </figcaption>
      <div className={classes.canvas}>
        <CanvasView
          label={`${title}: what each token looks at`}
          size={(size) => size}
          draw={draw}
          marks={marks}
          onRoom={onRoom}
          onPoint={(point) => onPointed(point && cellAt(box, view, tokens, point))}
          onDrag={(dx, dy) => onView(movedBy(view, tokens, -dx / cell, -dy / cell))}
          onWheel={onWheel}
        />
      </div>
    </figure>
  );
}
