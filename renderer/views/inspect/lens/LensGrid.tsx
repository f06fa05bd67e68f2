import { SegmentedControl } from '@mantine/core';
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { Capture, Lens } from '../../../../preload/contract/index.ts';
import { paint, rangeOf, viridis, type ValueScale } from '../../../charts/cells.ts';
import {
  drawLens,
  drawLensMarks,
  lensAt,
  lensBox,
  lensSize,
  rowName,
  type LensPicture,
  type LensPlace,
} from '../../../charts/lensGrid.ts';
import type { Box, Surface } from '../../../charts/surface.ts';
import { cellTops, finalTopOf, topOf } from '../../../state/lens.ts';
import { CanvasView, type CanvasHandle, type Size } from '../../../ui/CanvasView.tsx';
import { visible } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { wholeCanvas, wholeSvg } from '../../../ui/wholePicture.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName, formatFigure, formatProbability } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import classes from './Lens.module.css';

type Colored = 'final' | 'top';

const captions: Readonly<Record<Colored, string>> = {
  final: 'probability of the final token',
  top: 'probability of the top token',
};

/** The top token of every layer and position; arrows walk, and each step tells what is there. */
export function LensGrid({ capture, lens }: { capture: Capture; lens: Lens }) {
  const { inspect } = useStudio();
  const position = usePart(inspect.store, (state) => state.position);
  const [colored, setColored] = useState<Colored>('final');
  const [pointed, setPointed] = useState<LensPlace | null>(null);
  const [row, setRow] = useState(lens.rows - 1);
  const handle = useRef<CanvasHandle>(null);
  const picture = useMemo(
    (): LensPicture => pictureOf(capture, lens, colored),
    [capture, lens, colored],
  );
  const draw = useCallback(
    (surface: Surface, shown: Box) => drawLens(surface, picture, shown),
    [picture],
  );
  const marks = useCallback(
    (surface: Surface, shown: Box) =>
      drawLensMarks(surface, { rows: lens.rows, position, pointed }, shown),
    [position, pointed, lens.rows],
  );
  const [room, setRoom] = useState(0);
  const onRoom = useCallback(({ width }: Size) => setRoom(width), []);
  // What is explained beside the grid is in sight in it.
  useEffect(() => {
    if (room > 0) handle.current?.reveal(lensBox({ row: 0, position }));
  }, [room, position]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const next = {
      row: Math.min(lens.rows - 1, Math.max(0, row + step[1])),
      position: Math.min(lens.positions - 1, Math.max(0, position + step[0])),
    };
    setRow(next.row);
    setPointed(next);
    inspect.setPosition(next.position);
  };
  const size = lensSize(lens);
  const whole = { x: 0, y: 0, ...size };
  const { rows, positions, top } = lens;
  return (
    <section aria-label="Logit lens" className={classes.grid}>
      <div className={parts.tools}>
        <h2>Logit lens</h2>
        <SegmentedControl
          aria-label="Colours"
          value={colored}
          onChange={setColored}
          data={[
            { value: 'final', label: 'Final token' },
            { value: 'top', label: 'Top token' },
          ]}
        />
        <span className={parts.end}>
          <SaveMenu
            label="Save the lens"
            name={fileName(capture.model, 'lens')}
            {...(positions <= 128 && {
              svg: () => wholeSvg(size, (surface) => drawLens(surface, picture, whole)),
            })}
            canvas={() => wholeCanvas(size, (surface) => drawLens(surface, picture, whole))}
            csv={() => csvOf(capture, lens)}
            json={() => jsonOf(capture, lens)}
            npy={() => ({ shape: [rows, positions, top], data: lens.probabilities })}
          />
        </span>
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <fieldset
        aria-label="Top token of every layer and position"
        aria-keyshortcuts="ArrowLeft ArrowRight ArrowUp ArrowDown"
        className={parts.canvas}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <CanvasView
          label={`Logit lens: ${rows} rows by ${positions} tokens, coloured by ${captions[colored]}`}
          size={() => size}
          handle={handle}
          onRoom={onRoom}
          draw={draw}
          marks={marks}
          onPoint={(point) => setPointed(point && lensAt(lens, point))}
          onPress={(point) => {
            const place = lensAt(lens, point);
            if (!place) return;
            setRow(place.row);
            inspect.setPosition(place.position);
          }}
        />
      </fieldset>
      <output className={classes.readout}>
        {pointed
          ? readoutOf(lens, pointed)
          : 'Point at a cell for its most probable tokens; click shows its column.'}
      </output>
    </section>
  );
}

const steps: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function pictureOf({ tokens }: Capture, lens: Lens, colored: Colored): LensPicture {
  const { rows, positions } = lens;
  const [least, most] = rangeOf(lens.norms);
  const norms: ValueScale = {
    kind: 'log',
    least: Math.max(least, 1e-6),
    most: Math.max(most, 2e-6),
  };
  return {
    rows,
    positions,
    labels: tokens.map(({ text }) => visible(text)),
    tops: (row, position) => visible(topOf(lens, row, position)),
    values: colored === 'final' ? lens.final : cellTops(lens),
    scale: { kind: 'linear', least: 0, most: 1 },
    caption: captions[colored],
    strip: {
      cells: paint({ columns: positions, rows, data: lens.norms }, norms, viridis),
      scale: norms,
      caption: 'residual norm',
    },
  };
}

/** Everything known of a cell, in a line. */
function readoutOf(lens: Lens, { row, position }: LensPlace): string {
  const cell = row * lens.positions + position;
  const candidates = Array.from({ length: Math.min(5, lens.top) }, (_, at) => {
    const id = lens.ids[cell * lens.top + at];
    const text = visible(lens.texts[String(id)] ?? '');
    return `${text} ${formatProbability(lens.probabilities[cell * lens.top + at] ?? 0)}`;
  });
  const final = `final token ${visible(finalTopOf(lens, position))} ${formatProbability(lens.final[cell] ?? 0)}`;
  const norm = `norm ${formatFigure(lens.norms[cell] ?? 0)}`;
  return [`${rowName(row)}, token ${position}: ${candidates.join(' · ')}`, final, norm].join(' — ');
}

const csvOf = ({ tokens }: Capture, lens: Lens): string =>
  toCsv(
    ['row', 'position', 'token', 'top', 'top_probability', 'final_probability', 'norm'],
    Array.from({ length: lens.rows * lens.positions }, (_, cell) => {
      const row = Math.floor(cell / lens.positions);
      const position = cell % lens.positions;
      return [
        rowName(row),
        position,
        tokens[position]?.text ?? '',
        topOf(lens, row, position),
        lens.probabilities[cell * lens.top] ?? null,
        lens.final[cell] ?? null,
        lens.norms[cell] ?? null,
      ];
    }),
  );

const jsonOf = (
  { tokens }: Capture,
  { rows, positions, top, texts, ...arrays }: Lens,
): unknown => ({
  tokens,
  rows,
  positions,
  top,
  texts,
  ids: [...arrays.ids],
  probabilities: [...arrays.probabilities],
  final: [...arrays.final],
  norms: [...arrays.norms],
});
