import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import { IconMinus, IconPlus, IconZoomReset } from '@tabler/icons-react';
import { useCallback, useMemo, useRef, useState, type PointerEvent, type ReactNode } from 'react';
import { drawPointed, drawScatter } from '../../charts/scatter.ts';
import {
  dotAt,
  dotsWithin,
  layOutScatter,
  movedBy,
  zoomedAt,
  type Place,
  type ScatterPicture,
  type ScatterView,
} from '../../charts/scatterLayout.ts';
import type { Surface } from '../../charts/surface.ts';
import type { Point } from '../../state/points.ts';
import { quantityOf, titleWithUnit, type QuantityKey } from '../../state/quantities.ts';
import { CanvasView, type Size } from '../../ui/CanvasView.tsx';
import { SaveMenu } from '../../ui/SaveMenu.tsx';
import { wholeCanvas, wholeSvg } from '../../ui/wholePicture.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { useComparison } from './comparison.ts';
import { PointActions } from './PointActions.tsx';
import classes from './Scatter.module.css';
import { tableCsv, tableJson } from './table.ts';
import { differenceText, pointLabel, readingText } from './words.ts';

type Drag =
  | { readonly kind: 'press'; readonly from: Place }
  | { readonly kind: 'lasso'; readonly line: readonly Place[] }
  | { readonly kind: 'move'; readonly at: Place };

/** Less is a click. */
const dragFrom = 4;
const wheelZoom = 1.0015;
const asIs = (room: Size): Size => room;

/** The trade-off: a dot per model; drag around dots to select them, turn the wheel to zoom. */
export function Scatter() {
  const { compare } = useStudio();
  const { complete, points } = useComparison();
  const [view, setView] = useState<ScatterView | null>(null);
  const [room, setRoom] = useState<Size>({ width: 0, height: 0 });
  const [pointed, setPointed] = useState<string | null>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [menu, setMenu] = useState<{ point: Point; at: Place } | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const { picture, x, y } = usePicture(view);
  const layout = useMemo(() => layOutScatter(picture, room), [picture, room]);

  const shown = complete.find(({ key }) => key === pointed);
  const draw = useCallback((surface: Surface) => drawScatter(surface, layout), [layout]);
  const lasso = drag?.kind === 'lasso' ? drag.line : null;
  const marks = useCallback(
    (surface: Surface) =>
      drawPointed(surface, layout, {
        key: pointed,
        lines: shown ? [pointLabel(shown), ...valuesOf(shown, x, y)] : [],
        lasso: lasso ?? [],
      }),
    [layout, pointed, shown, lasso, x, y],
  );

  const placeOf = ({ clientX, clientY }: PointerEvent): Place => {
    const box = frame.current?.getBoundingClientRect();
    return [clientX - (box?.left ?? 0), clientY - (box?.top ?? 0)];
  };
  const press = (event: PointerEvent<HTMLDivElement>): void => {
    const from = placeOf(event);
    // A line around dots may leave the chart and come back.
    event.currentTarget.setPointerCapture(event.pointerId);
    if (event.button === 1 || event.shiftKey) setDrag({ kind: 'move', at: from });
    else if (event.button === 0) setDrag({ kind: 'press', from });
  };
  const move = (event: PointerEvent<HTMLDivElement>): void => {
    const at = placeOf(event);
    if (!drag) return setPointed(dotAt(layout, at));
    if (drag.kind === 'move') {
      setView(movedBy(layout, at[0] - drag.at[0], at[1] - drag.at[1]));
      return setDrag({ kind: 'move', at });
    }
    if (drag.kind === 'lasso') return setDrag({ kind: 'lasso', line: [...drag.line, at] });
    if (Math.hypot(at[0] - drag.from[0], at[1] - drag.from[1]) < dragFrom) return;
    setPointed(null);
    setDrag({ kind: 'lasso', line: [drag.from, at] });
  };
  const release = (event: PointerEvent<HTMLDivElement>): void => {
    setDrag(null);
    if (drag?.kind === 'lasso') return compare.select(dotsWithin(layout, drag.line));
    if (drag?.kind !== 'press') return;
    const at = placeOf(event);
    const point = complete.find(({ key }) => key === dotAt(layout, at));
    if (!point) return compare.select([]);
    if (event.ctrlKey || event.metaKey) return compare.toggle(point.key);
    setPointed(null);
    setMenu({ point, at });
  };
  const zoom = (factor: number): void =>
    setView(zoomedAt(layout, [room.width / 2, room.height / 2], factor));

  return (
    <section className={classes.scatter} aria-label="Trade-off">
      <div
        ref={frame}
        className={classes.canvas}
        onPointerDown={press}
        onPointerMove={move}
        onPointerUp={release}
        onPointerLeave={() => {
          setDrag(null);
          setPointed(null);
        }}
        onDoubleClick={() => setView(null)}
      >
        <CanvasView
          label={`${picture.y.title} against ${picture.x.title} of ${complete.length} of ${points.length} models`}
          size={asIs}
          draw={draw}
          marks={marks}
          onRoom={setRoom}
          onWheel={(at, delta) => setView(zoomedAt(layout, at, wheelZoom ** -delta))}
        />
      </div>
      {menu && (
        <Menu
          opened
          position="right-start"
          shadow="md"
          onClose={() => setMenu(null)}
          returnFocus={false}
        >
          <Menu.Target>
            <span className={classes.anchor} style={{ left: menu.at[0] + 8, top: menu.at[1] }} />
          </Menu.Target>
          <Menu.Dropdown>
            <PointActions point={menu.point} />
          </Menu.Dropdown>
        </Menu>
      )}
      <div className={classes.tools}>
        <Tool label="Zoom in" onClick={() => zoom(1.5)}>
          <IconPlus size={14} stroke={1.5} />
        </Tool>
        <Tool label="Zoom out" onClick={() => zoom(1 / 1.5)}>
          <IconMinus size={14} stroke={1.5} />
        </Tool>
        {view && (
          <Tool label="Show everything again" onClick={() => setView(null)}>
            <IconZoomReset size={14} stroke={1.5} />
          </Tool>
        )}
        <SaveMenu
          label="Save the trade-off chart"
          name="lathe-trade-off"
          svg={() => wholeSvg(room, (surface) => drawScatter(surface, layout))}
          canvas={() => wholeCanvas(room, (surface) => drawScatter(surface, layout))}
          csv={() => tableCsv(complete, [x, y])}
          json={() => tableJson(complete, [x, y])}
        />
      </div>
    </section>
  );
}

function Tool(props: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <Tooltip label={props.label}>
      <ActionIcon aria-label={props.label} onClick={props.onClick}>
        {props.children}
      </ActionIcon>
    </Tooltip>
  );
}

/** What the chart shows, made anew only when that changes. */
function usePicture(view: ScatterView | null): {
  picture: ScatterPicture;
  x: QuantityKey;
  y: QuantityKey;
} {
  const { compare, colors } = useStudio();
  const { complete, front, lines, families: all } = useComparison();
  const x = usePart(compare.store, (state) => state.x);
  const y = usePart(compare.store, (state) => state.y);
  const selected = usePart(compare.store, (state) => state.selected);
  const families = useMemo(
    () => all.filter((family) => complete.some((point) => point.family === family)),
    [all, complete],
  );
  const dots = useMemo(
    () =>
      complete.flatMap((point) => {
        const [ofX, ofY] = [point.values.get(x), point.values.get(y)];
        if (!ofX || !ofY) return [];
        return {
          key: point.key,
          label: pointLabel(point),
          x: ofX.value,
          y: ofY.value,
          xRange: ofX.ci95,
          yRange: ofY.ci95,
          color: colors.of(point.model.name),
          shape: Math.max(0, families.indexOf(point.family)),
        };
      }),
    [complete, families, colors, x, y],
  );
  const picture = useMemo((): ScatterPicture => {
    const axis = (key: QuantityKey) => {
      const quantity = quantityOf(key);
      return {
        title: titleWithUnit(quantity),
        better: quantity.better,
        logarithmic: quantity.logarithmic,
        goals: lines.filter((line) => line.key === key),
      };
    };
    return { dots, families, x: axis(x), y: axis(y), front, selected, view };
  }, [dots, families, x, y, front, lines, selected, view]);
  return { picture, x, y };
}

const valuesOf = ({ values }: Point, ...keys: readonly QuantityKey[]): string[] =>
  keys.flatMap((key) => {
    const reading = values.get(key);
    return reading ? [readingText(key, reading), differenceText(reading) ?? []].flat() : [];
  });
