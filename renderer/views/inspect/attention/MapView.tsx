import { ActionIcon } from '@mantine/core';
import { IconZoomIn, IconZoomOut, IconZoomReset } from '@tabler/icons-react';
import { useCallback, useMemo, useState, type KeyboardEvent } from 'react';
import type { Capture, Square } from '../../../../preload/contract/index.ts';
import {
  figure,
  paint,
  pooled,
  rangeOf,
  viridis,
  type Matrix,
  type ValueScale,
} from '../../../charts/cells.ts';
import {
  cellAt,
  drawHeatmap,
  drawHeatmapMarks,
  mapBox,
  movedBy,
  wholeMap,
  zoomed,
  type Focus,
  type Window,
} from '../../../charts/heatmap.ts';
import type { Surface } from '../../../charts/surface.ts';
import { CanvasView, type Size } from '../../../ui/CanvasView.tsx';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { wholeCanvas, wholeSvg } from '../../../ui/wholePicture.ts';
import { fileName } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import classes from './Attention.module.css';
import { FocusPanel } from './FocusPanel.tsx';

interface MapViewProps {
  capture: Capture;
  square: Square;
  labels: readonly string[];
  what: 'pattern' | 'scores';
  isLog: boolean;
  title: string;
}

/** More rectangles than this no other program wants to open. */
const mostVectorTokens = 128;
const leastLogarithmic = 1e-4;

/** A map on canvas: zoom with the wheel, move by dragging, click to keep a row in view. */
export function MapView({ capture, square, labels, what, isLog, title }: MapViewProps) {
  const { tokens, data } = square;
  const [room, setRoom] = useState<Size>({ width: 0, height: 0 });
  const [window, setWindow] = useState<Window>(wholeMap(tokens));
  const [pointed, setPointed] = useState<{ row: number; column: number } | null>(null);
  const [focus, setFocus] = useState<Focus | null>(null);
  const box = useMemo(() => mapBox(room.width, room.height), [room]);
  const scale = useMemo((): ValueScale => {
    const [least, most] = rangeOf(data);
    if (what === 'scores') return { kind: 'linear', least, most };
    return isLog
      ? { kind: 'log', least: leastLogarithmic, most: 1 }
      : { kind: 'linear', least: 0, most };
  }, [data, what, isLog]);
  const density = globalThis.devicePixelRatio || 1;
  // A cell smaller than a pixel of the screen could fall between two of them.
  const factor = Math.max(1, Math.floor(window.size / (box.width * density)));
  const cells = useMemo(() => {
    const matrix: Matrix = { columns: tokens, rows: tokens, data };
    return paint(pooled(matrix, factor), scale, viridis);
  }, [tokens, data, factor, scale]);
  const caption = what === 'scores' ? 'score before the softmax' : 'attention weight';
  const map = useMemo(
    () => ({ tokens, labels, cells, window, scale, shades: viridis, caption }),
    [tokens, labels, cells, window, scale, caption],
  );
  const draw = useCallback(
    (surface: Surface) => drawHeatmap(surface, map, room.width, room.height),
    [map, room],
  );
  const marks = useCallback(
    (surface: Surface) => drawHeatmapMarks(surface, { box, window }, { pointed, focus }),
    [box, window, pointed, focus],
  );
  const onWheel = useCallback(
    (point: readonly [number, number], delta: number) => {
      const at = [(point[0] - box.x) / box.width, (point[1] - box.y) / box.height];
      if (at.some((share) => share < 0 || share > 1)) return;
      setWindow((before) => zoomed(before, tokens, Math.exp(delta * 0.002), at));
    },
    [box, tokens],
  );
  const zoom = (factor_: number): void => setWindow(zoomed(window, tokens, factor_));

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = steps[event.key];
    const last = tokens - 1;
    if (step) {
      const at = pointed ?? { row: last, column: last };
      const row = Math.min(last, Math.max(0, at.row + step[1]));
      const column = Math.min(last, Math.max(0, at.column + step[0]));
      setPointed({ row, column });
      setWindow(including(window, tokens, row, column));
    } else if (event.key === 'Enter' && pointed) setFocus({ axis: 'row', index: pointed.row });
    else if (event.key === '+') zoom(0.5);
    else if (event.key === '-') zoom(2);
    else return;
    event.preventDefault();
  };
  const value = pointed && data[pointed.row * tokens + pointed.column];
  const name = fileName(capture.model, title, what);
  return (
    <>
      <div className={classes.map}>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
        <fieldset
          aria-label={`Map of ${title}; arrows move from cell to cell`}
          className={parts.canvas}
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          onKeyDown={onKeyDown}
        >
          <CanvasView
            label={`${caption} of ${tokens} tokens, ${title}`}
            size={(whole) => whole}
            draw={draw}
            marks={marks}
            onRoom={setRoom}
            onPoint={(point) => setPointed(point && cellAt(box, window, tokens, point))}
            onPress={(point, { shiftKey }) => {
              const cell = cellAt(box, window, tokens, point);
              if (!cell) return setFocus(null);
              const next: Focus = shiftKey
                ? { axis: 'column', index: cell.column }
                : { axis: 'row', index: cell.row };
              const isSame = focus?.axis === next.axis && focus.index === next.index;
              setFocus(isSame ? null : next);
            }}
            onDrag={(dx, dy) =>
              setWindow((before) => {
                const cell = box.width / before.size;
                return movedBy(before, tokens, -dx / cell, -dy / cell);
              })
            }
            onWheel={onWheel}
          />
        </fieldset>
        {focus && (
          <FocusPanel
            focus={focus}
            square={square}
            labels={labels}
            isShare={what === 'pattern'}
            onFocus={setFocus}
          />
        )}
      </div>
      <div className={parts.tools}>
        <output className={classes.told}>
          {pointed && value !== undefined && value !== null ? (
            <>
              {pointed.row} <span className="mono">{labels[pointed.row]}</span> → {pointed.column}{' '}
              <span className="mono">{labels[pointed.column]}</span>:{' '}
              <strong>{valueText(value, what)}</strong>
            </>
          ) : (
            'Point at a cell for its value; click keeps its row, Shift-click its column.'
          )}
        </output>
        <ActionIcon aria-label="Zoom in" onClick={() => zoom(0.5)}>
          <IconZoomIn size={16} stroke={1.5} />
        </ActionIcon>
        <ActionIcon aria-label="Zoom out" onClick={() => zoom(2)}>
          <IconZoomOut size={16} stroke={1.5} />
        </ActionIcon>
        <ActionIcon aria-label="Show the whole map" onClick={() => setWindow(wholeMap(tokens))}>
          <IconZoomReset size={16} stroke={1.5} />
        </ActionIcon>
        <SaveMenu
          label="Save the map"
          name={name}
          {...(tokens <= mostVectorTokens && { svg: () => wholeSvg(room, draw) })}
          canvas={() => wholeCanvas(room, draw)}
          csv={() => matrixCsv(square, labels)}
          json={() => ({
            title,
            what,
            tokens: capture.tokens,
            shape: [tokens, tokens],
            data: [...data],
          })}
          npy={() => ({ shape: [tokens, tokens], data })}
        />
      </div>
    </>
  );
}

const steps: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The window moved so that a cell lies in it. */
function including(window: Window, tokens: number, row: number, column: number): Window {
  const by = (at: number, from: number): number =>
    at < from ? at - from : at + 1 > from + window.size ? at + 1 - from - window.size : 0;
  return movedBy(window, tokens, by(column, window.x), by(row, window.y));
}

/** A weight with four digits; a score as it is; what is masked says so. */
const valueText = (value: number, what: 'pattern' | 'scores'): string =>
  what === 'pattern' ? value.toFixed(4) : value === -Infinity ? 'masked' : figure(value);

const matrixCsv = ({ tokens, data }: Square, labels: readonly string[]): string =>
  toCsv(
    ['', ...labels],
    labels.map((label, row) => [label, ...data.subarray(row * tokens, (row + 1) * tokens)]),
  );
