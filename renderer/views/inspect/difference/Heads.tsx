import { useCallback, useMemo, useState, type KeyboardEvent } from 'react';
import type { Difference, Head } from '../../../../preload/contract/index.ts';
import { viridis } from '../../../charts/cells.ts';
import {
  drawHeadMarks,
  drawHeadValues,
  headAt,
  sheetLayout,
  sheetSize,
  type HeadValues,
} from '../../../charts/sheet.ts';
import type { Surface } from '../../../charts/surface.ts';
import { changedHeads, type ChangedHead } from '../../../state/difference.ts';
import { CanvasView, type Size } from '../../../ui/CanvasView.tsx';
import { Empty } from '../../../ui/Empty.tsx';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { wholeSvg } from '../../../ui/wholePicture.ts';
import { Table } from '../../../ui/Table.tsx';
import { usePart, useStudio } from '../../studioContext.ts';
import { asSentence, fileName, formatFigure } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import classes from './difference.module.css';

/** Which heads look elsewhere, or why that cannot be said. */
export function Heads({ difference }: { difference: Difference }) {
  const { heads } = difference;
  const changed = useMemo(() => changedHeads(difference), [difference]);
  if (!heads || changed.length === 0) {
    return (
      <section className={parts.section} aria-label="Heads">
        <div className={parts.head}>
          <h2>Heads</h2>
        </div>
        <Empty>
          {asSentence(difference.note ?? 'the two models have not the same heads')} What both say of
          the tokens can be compared all the same, and so can what is to blame.
        </Empty>
      </section>
    );
  }
  return (
    <>
      <Grid difference={difference} heads={heads} changed={changed} />
      <MostChanged changed={changed} />
    </>
  );
}

const highest = 480;
/** Places are as large as lets all layers be seen at once, within what can be hit. */
const sidesOf = (layers: number): [number, number] => [
  10,
  Math.min(32, Math.max(10, Math.floor((highest - 72) / layers) - 4)),
];

interface GridProps {
  difference: Difference;
  heads: readonly number[];
  changed: readonly ChangedHead[];
}

/** A row for each layer, a place for each head, coloured by how much its patterns differ. */
function Grid({ difference, heads, changed }: GridProps) {
  const store = useStudio().difference;
  const shown = usePart(store.store, (state) => state.head);
  const [pointed, setPointed] = useState<Head | null>(null);
  const [width, setWidth] = useState(640);
  const layout = useMemo(() => sheetLayout(heads, width, sidesOf(heads.length)), [heads, width]);
  const values = useMemo((): HeadValues => {
    const rows = heads.map((count) => Array.from({ length: count }, (): number | null => null));
    for (const { layer, head, divergence } of changed) {
      const row = rows[layer];
      if (row) row[head] = divergence;
    }
    return {
      values: rows,
      scale: { kind: 'linear', least: 0, most: changed[0]?.divergence || 1 },
      shades: viridis,
      caption: 'Jensen–Shannon divergence, bits',
    };
  }, [heads, changed]);
  const draw = useCallback(
    (surface: Surface) => drawHeadValues(surface, layout, values),
    [layout, values],
  );
  const marks = useCallback(
    (surface: Surface) => drawHeadMarks(surface, layout, { pointed, shown, off: [], found: null }),
    [layout, pointed, shown],
  );
  const onRoom = useCallback((room: Size) => setWidth(room.width), []);
  const move = (event: KeyboardEvent): void => {
    const { layer, head } = shown ?? { layer: 0, head: 0 };
    const [down, right] =
      { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ??
      [];
    if (down === undefined || right === undefined) return;
    event.preventDefault();
    const next = Math.min(heads.length - 1, Math.max(0, layer + down));
    const most = Math.max(0, (heads[next] ?? 1) - 1);
    store.change({ head: { layer: next, head: Math.min(most, Math.max(0, head + right)) } });
  };
  const read = pointed ?? shown;
  const divergence = read && values.values[read.layer]?.[read.head];
  const name = `${fileName(difference.base, difference.variant)}-heads`;
  return (
    <section className={parts.section} aria-label="Heads">
      <div className={parts.head}>
        <h2>Heads</h2>
        <span>
          {read && `layer ${read.layer}, head ${read.head}: ${formatFigure(divergence ?? 0)} bits`}
        </span>
        <span className={parts.end}>
          <SaveMenu
            label="Save the divergence of all heads"
            name={name}
            svg={() => wholeSvg(sheetSize(layout), draw)}
            csv={() => csvOf(changed)}
            json={() => changed}
            {...(difference.headDivergence && {
              npy: () => ({
                shape: [changed.length],
                data: difference.headDivergence ?? new Float32Array(),
              }),
            })}
          />
        </span>
      </div>
      {/* One stop for Tab; arrows move from head to head. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- no fieldset: nothing is filled in
        role="group"
        aria-label="Heads by layer: arrows move, the maps below follow"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className={classes.grid}
        style={{ height: Math.min(highest, sheetSize(layout).height) }}
        onKeyDown={move}
      >
        <CanvasView
          label="Jensen–Shannon divergence of every head"
          size={() => sheetSize(layout)}
          draw={draw}
          marks={marks}
          onRoom={onRoom}
          onPoint={(point) => setPointed(point && headAt(layout, point))}
          onPress={(point) => {
            const head = headAt(layout, point);
            if (head) store.change({ head });
          }}
        />
      </div>
    </section>
  );
}

const csvOf = (changed: readonly ChangedHead[]): string =>
  toCsv(
    ['layer', 'head', 'jensen_shannon_bits'],
    changed.map(({ layer, head, divergence }) => [layer, head, divergence]),
  );

const mostListed = 10;

function MostChanged({ changed }: { changed: readonly ChangedHead[] }) {
  const store = useStudio().difference;
  const shown = usePart(store.store, (state) => state.head);
  return (
    <section className={parts.section} aria-label="Most changed heads">
      <div className={parts.head}>
        <h2>Most changed</h2>
      </div>
      <p className={parts.note}>
        How far apart the patterns of a head are, as the mean over the tokens: 0 bits where it looks
        at the same tokens, 1 where at none of them.
      </p>
      <Table kind="figures">
        <thead>
          <tr>
            <th scope="col">Head</th>
            <th scope="col" data-number>
              Bits
            </th>
          </tr>
        </thead>
        <tbody>
          {changed.slice(0, mostListed).map(({ layer, head, divergence }) => (
            <tr key={`${layer}.${head}`}>
              <td>
                <button
                  type="button"
                  className={parts.link}
                  aria-pressed={shown?.layer === layer && shown.head === head}
                  onClick={() => store.change({ head: { layer, head } })}
                >
                  Layer {layer}, head {head}
                </button>
              </td>
              <td data-number>{formatFigure(divergence)}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </section>
  );
}
