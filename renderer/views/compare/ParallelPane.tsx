import { useCallback, useMemo, useRef, useState, type PointerEvent } from 'react';
import {
  axisAt,
  brushBetween,
  drawParallel,
  layOutParallel,
  linesWithin,
  type ParallelPicture,
} from '../../charts/parallel.ts';
import type { Surface } from '../../charts/surface.ts';
import type { Brush, CompareState } from '../../state/compare.ts';
import { quantityOf, type QuantityKey } from '../../state/quantities.ts';
import { CanvasView, type Size } from '../../ui/CanvasView.tsx';
import { SaveMenu } from '../../ui/SaveMenu.tsx';
import { wholeCanvas, wholeSvg } from '../../ui/wholePicture.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { useComparison } from './comparison.ts';
import classes from './ParallelPane.module.css';
import { tableCsv, tableJson } from './table.ts';

/** Less is a click, which takes the part chosen on the axis away. */
const dragFrom = 4;
/** Axes nearer than this cannot be read; the picture scrolls instead. */
const axisWidth = 112;

/** Every model as a line across the quantities; drag along an axis to choose by it. */
export function ParallelPane() {
  const { compare, colors } = useStudio();
  const { points } = useComparison();
  const columns = usePart(compare.store, (state) => state.columns);
  const selected = usePart(compare.store, (state) => state.selected);
  const brushes = usePart(compare.store, (state) => state.brushes);
  const [room, setRoom] = useState<Size>({ width: 0, height: 0 });
  const drag = useRef<{ axis: number; from: number } | null>(null);
  const frame = useRef<HTMLDivElement>(null);

  const picture = useMemo(
    (): ParallelPicture => ({
      axes: columns.map((key) => ({ ...quantityOf(key), brush: brushes[key] ?? null })),
      lines: points
        .map(({ key, model, values }) => ({
          key,
          color: colors.of(model.name),
          values: columns.map((column) => values.get(column)?.value ?? null),
        }))
        .filter(({ values }) => values.filter((value) => value !== null).length > 1),
      selected,
    }),
    [points, columns, brushes, selected, colors],
  );
  const count = columns.length;
  const sizeIn = useCallback(
    ({ width, height }: Size): Size => ({ width: Math.max(width, count * axisWidth), height }),
    [count],
  );
  const layout = useMemo(() => layOutParallel(picture, sizeIn(room)), [picture, sizeIn, room]);
  const draw = useCallback((surface: Surface) => drawParallel(surface, layout), [layout]);

  const brush = (key: QuantityKey, range: Brush | null): void => {
    const { [key]: _, ...others } = brushes;
    const next: CompareState['brushes'] = range ? { ...others, [key]: range } : others;
    const axes = picture.axes.map((axis, index) => {
      const column = columns[index];
      return { ...axis, brush: (column && next[column]) ?? null };
    });
    const isChosen = Object.keys(next).length > 0;
    compare.change({
      brushes: next,
      selected: new Set(isChosen ? linesWithin({ ...picture, axes }) : []),
    });
  };
  const placeOf = ({ clientX, clientY }: PointerEvent): readonly [number, number] => {
    const box = frame.current?.getBoundingClientRect();
    const scrolled = frame.current?.firstElementChild?.scrollLeft ?? 0;
    return [clientX - (box?.left ?? 0) + scrolled, clientY - (box?.top ?? 0)];
  };
  const move = (event: PointerEvent<HTMLDivElement>): void => {
    if (!drag.current) return;
    const { axis, from } = drag.current;
    const [, to] = placeOf(event);
    const key = columns[axis];
    const range = brushBetween(layout, axis, [from, to]);
    if (key && range && Math.abs(to - from) >= dragFrom) brush(key, range);
  };
  return (
    <div className={classes.pane}>
      <div
        ref={frame}
        className={classes.canvas}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const [x, from] = placeOf(event);
          const axis = axisAt(layout, x);
          drag.current = axis === null ? null : { axis, from };
        }}
        onPointerMove={move}
        onPointerUp={(event) => {
          const start = drag.current;
          drag.current = null;
          const key = start && columns[start.axis];
          if (key && Math.abs(placeOf(event)[1] - start.from) < dragFrom) brush(key, null);
        }}
        onPointerLeave={() => {
          drag.current = null;
        }}
      >
        <CanvasView
          label={`${picture.lines.length} models across ${count} quantities`}
          size={sizeIn}
          draw={draw}
          onRoom={setRoom}
        />
      </div>
      <div className={classes.tools}>
        <SaveMenu
          label="Save the parallel axes"
          name="lathe-parallel"
          svg={() => wholeSvg(sizeIn(room), draw)}
          canvas={() => wholeCanvas(sizeIn(room), draw)}
          csv={() => tableCsv(points, columns)}
          json={() => tableJson(points, columns)}
        />
      </div>
    </div>
  );
}
