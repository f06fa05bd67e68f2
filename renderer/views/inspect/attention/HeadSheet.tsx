import { useCallback, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { Capture, Head, HeadStatistics } from '../../../../preload/contract/index.ts';
import { rangeOf, viridis } from '../../../charts/cells.ts';
import {
  drawHeadMarks,
  drawHeadValues,
  drawSheet,
  headAt,
  placeBox,
  sheetCells,
  sheetLayout,
  sheetSize,
  type HeadValues,
} from '../../../charts/sheet.ts';
import type { Box, Surface } from '../../../charts/surface.ts';
import { headBeside, statistics, summaryOfHead, type Statistic } from '../../../state/heads.ts';
import { sameHead, toggledHead } from '../../../state/inspect.ts';
import { CanvasView, type CanvasHandle, type Size } from '../../../ui/CanvasView.tsx';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { wholeCanvas, wholeSvg } from '../../../ui/wholePicture.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import classes from './Attention.module.css';

interface HeadSheetProps {
  capture: Capture;
  /** Thumbnails of all heads, and their side in cells. */
  data: Float32Array;
  size: number;
  /** Colours the heads by one value instead of showing their patterns. */
  statistic: Statistic | null;
  known: readonly HeadStatistics[];
  found: readonly Head[] | null;
}

/** A place for every head, a row for each layer. Arrows move, Enter opens, X switches off. */
export function HeadSheet(props: HeadSheetProps) {
  const { capture, statistic, known, found, data, size } = props;
  const { heads } = capture;
  const { inspect } = useStudio();
  const shown = usePart(inspect.store, (state) => state.shown);
  const off = usePart(inspect.store, (state) => state.off);
  const [width, setWidth] = useState(0);
  const [pointed, setPointed] = useState<Head | null>(null);
  const [cursor, setCursor] = useState<Head | null>(null);
  const handle = useRef<CanvasHandle>(null);
  const layout = useMemo(() => sheetLayout(heads, width), [heads, width]);
  const cells = useMemo(() => sheetCells(data, size, heads), [data, size, heads]);
  const values = useMemo(
    () => (statistic ? valuesOf(statistic, known, heads) : null),
    [statistic, known, heads],
  );
  const draw = useCallback(
    (surface: Surface, part?: Box) =>
      values
        ? drawHeadValues(surface, layout, values, part)
        : drawSheet(surface, layout, { cells, size }, part),
    [values, layout, cells, size],
  );
  const open = shown.kind === 'head' ? shown : null;
  const marks = useCallback(
    (surface: Surface, part: Box) => {
      const all = { pointed: pointed ?? cursor, shown: open, off, found };
      drawHeadMarks(surface, layout, all, part);
    },
    [layout, pointed, cursor, open, off, found],
  );
  const onRoom = useCallback((room: Size) => setWidth(room.width), []);
  const toggle = (head: Head): void => inspect.setOff(toggledHead(off, head));

  const onKeyDown = (event: KeyboardEvent): void => {
    const at = cursor ?? open ?? { layer: 0, head: 0 };
    if (event.key === 'Enter') {
      inspect.show({ kind: 'head', ...placeOf(at) });
    } else if (event.key === 'x') {
      toggle(placeOf(at));
    } else {
      const next = headBeside(heads, at, event.key);
      if (!next) return;
      setCursor(next);
      // A pointer that rests on another head does not speak over the keyboard.
      setPointed(null);
      handle.current?.reveal(placeBox(layout, next));
    }
    event.preventDefault();
  };
  const told = pointed ?? cursor ?? open;
  const name = fileName(capture.model, statistic ? statistic.name : 'heads');
  const pictureSize = sheetSize(layout);
  return (
    <>
      {/* One stop for Tab; arrows move from head to head, and the line below says what each does. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <fieldset
        aria-label="Heads, layer by layer"
        aria-keyshortcuts="ArrowLeft ArrowRight ArrowUp ArrowDown Enter x"
        className={parts.canvas}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        onKeyDown={onKeyDown}
        onBlur={() => setCursor(null)}
      >
        <CanvasView
          label={
            statistic
              ? `${statistic.title} of every head, layer by layer`
              : `Attention patterns of ${heads.reduce((sum, count) => sum + count, 0)} heads, layer by layer`
          }
          size={(room) => sheetSize(sheetLayout(heads, room.width))}
          handle={handle}
          draw={draw}
          marks={marks}
          onRoom={onRoom}
          onPoint={(point) => {
            const next = point && headAt(layout, point);
            setPointed((before) => (before && next && sameHead(before, next) ? before : next));
          }}
          onPress={(point, { shiftKey }) => {
            const head = headAt(layout, point);
            if (!head) return;
            if (shiftKey) toggle(head);
            else inspect.show({ kind: 'head', ...head });
          }}
        />
      </fieldset>
      <div className={parts.tools}>
        <output className={classes.told}>{told && summaryAt(known, told)}</output>
        <SaveMenu
          label="Save the heads"
          name={name}
          {...(statistic
            ? { svg: () => wholeSvg(pictureSize, draw) }
            : {
                canvas: () => wholeCanvas(pictureSize, draw),
                npy: () => ({ shape: [data.length / size ** 2, size, size], data }),
              })}
          csv={() => headsCsv(known)}
          json={() => known}
        />
      </div>
    </>
  );
}

const placeOf = ({ layer, head }: Head): Head => ({ layer, head });

function summaryAt(known: readonly HeadStatistics[], place: Head): string {
  const facts = known.find((head) => sameHead(head, place));
  const name = `Layer ${place.layer}, head ${place.head}`;
  return facts ? `${name}: ${summaryOfHead(facts)}` : name;
}

function valuesOf(
  statistic: Statistic,
  known: readonly HeadStatistics[],
  heads: readonly number[],
): HeadValues {
  const of = new Map(known.map((head) => [`${head.layer}.${head.head}`, head[statistic.name]]));
  const values = heads.map((count, layer) =>
    Array.from({ length: count }, (_, head) => of.get(`${layer}.${head}`) ?? null),
  );
  const present = Float32Array.from(values.flat().filter((value) => value !== null));
  const [, most] = rangeOf(present);
  // Shares are told on one scale, so that two statistics can be held beside each other.
  const scale = { kind: 'linear', least: 0, most: statistic.unit === 'share' ? 1 : most } as const;
  const unit = statistic.unit === 'share' ? '' : `, ${statistic.unit}`;
  return { values, scale, shades: viridis, caption: `${statistic.title}${unit}` };
}

/** Every statistic of every head as CSV. */
export const headsCsv = (known: readonly HeadStatistics[]): string =>
  toCsv(
    ['layer', 'head', ...statistics.map(({ name }) => name)],
    known.map((head) => [head.layer, head.head, ...statistics.map(({ name }) => head[name])]),
  );
