import { ActionIcon, Switch, useComputedColorScheme } from '@mantine/core';
import { IconZoomIn, IconZoomOut, IconZoomReset } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState, type KeyboardEvent } from 'react';
import type { Difference, Head, PatternPair } from '../../../../preload/contract/index.ts';
import { divergingColors, rangeOf, viridis, type ValueScale } from '../../../charts/cells.ts';
import { movedBy, wholeMap, zoomed, type Window } from '../../../charts/heatmap.ts';
import { toFailure } from '../../../state/failure.ts';
import { largestShift } from '../../../state/differenceFigures.ts';
import { visible } from '../../../ui/format.ts';
import { palette } from '../../../ui/theme.ts';
import { Loaded } from '../../Loaded.tsx';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName, formatFigure, formatSigned } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { Trouble } from '../parts/Trouble.tsx';
import classes from './difference.module.css';
import { HeadMap, type Cell } from './HeadMap.tsx';

/** The maps of one head: of the base, of the variant, and what is between them. */
export function HeadMaps({ difference }: { difference: Difference }) {
  const store = useStudio().difference;
  const head = usePart(store.store, (state) => state.head);
  const query = useQuery({
    queryKey: ['patternPair', difference.id, head],
    enabled: head !== null,
    // Three maps of a long text are large; those of other heads are asked for again.
    gcTime: 30_000,
    queryFn: () => store.patterns(difference.id, head ?? { layer: 0, head: 0 }),
  });
  if (head === null) return null;
  // Newer comparisons, or the end of its process, took the place of what was held.
  const failure = query.error && toFailure(query.error);
  return (
    <section className={`${parts.section} ${classes.mapsSection}`} aria-label="Maps of the head">
      <div className={parts.head}>
        <h2>
          Layer {head.layer}, head {head.head}
        </h2>
      </div>
      {failure?.code === 'not_found' ? (
        <Trouble failure={failure} retry={() => void store.runAgain()} />
      ) : (
        <Loaded query={query}>
          {(pair) => <Maps key={difference.id} difference={difference} pair={pair} head={head} />}
        </Loaded>
      )}
    </section>
  );
}

const leastLogarithmic = 1e-4;

function Maps({
  difference,
  pair,
  head,
}: {
  difference: Difference;
  pair: PatternPair;
  head: Head;
}) {
  const { tokens } = pair;
  const scheme = useComputedColorScheme('light');
  const [view, setView] = useState<Window>(() => wholeMap(tokens));
  const [pointed, setPointed] = useState<Cell>(null);
  const [isLog, setLog] = useState(false);
  const labels = useMemo(
    () => difference.tokens.map(({ text }) => visible(text)),
    [difference.tokens],
  );
  const change = useMemo(
    () => pair.variant.map((value, at) => value - (pair.base[at] ?? 0)),
    [pair],
  );
  const maps = useMemo(() => {
    const most = Math.max(rangeOf(pair.base)[1], rangeOf(pair.variant)[1]);
    const [least, largest] = rangeOf(change);
    const size = Math.max(-least, largest) || 1;
    const { less, surface, more } = palette[scheme];
    const weight: ValueScale = isLog
      ? { kind: 'log', least: leastLogarithmic, most: most || 1 }
      : { kind: 'linear', least: 0, most: most || 1 };
    const signed: ValueScale = { kind: 'diverging', least: -size, most: size };
    return [
      { title: 'Base', data: pair.base, scale: weight, shades: viridis, caption: 'attention' },
      {
        title: 'Variant',
        data: pair.variant,
        scale: weight,
        shades: viridis,
        caption: 'attention',
      },
      {
        title: 'Variant − base',
        data: change,
        scale: signed,
        shades: divergingColors(less, surface, more),
        caption: 'difference',
      },
    ];
  }, [pair, change, scheme, isLog]);
  const at = pointed && pointed.row * tokens + pointed.column;
  const onKeyDown = (event: KeyboardEvent): void => {
    const last = tokens - 1;
    const from = pointed ?? { row: last, column: last };
    const within = (value: number): number => Math.min(last, Math.max(0, value));
    const step = steps[event.key];
    if (step) {
      const cell = { row: within(from.row + step[0]), column: within(from.column + step[1]) };
      setPointed(cell);
      setView(including(view, tokens, cell));
    } else if (event.key === '+') setView(zoomed(view, tokens, 0.5));
    else if (event.key === '-') setView(zoomed(view, tokens, 2));
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className={parts.head}>
        <p className={classes.shift}>
          <Shifted pair={pair} labels={labels} />
        </p>
        <span className={parts.end}>
          <Switch
            label="Logarithmic"
            checked={isLog}
            onChange={(event) => setLog(event.currentTarget.checked)}
          />
          <ActionIcon aria-label="Zoom in" onClick={() => setView(zoomed(view, tokens, 0.5))}>
            <IconZoomIn size={16} stroke={1.5} />
          </ActionIcon>
          <ActionIcon aria-label="Zoom out" onClick={() => setView(zoomed(view, tokens, 2))}>
            <IconZoomOut size={16} stroke={1.5} />
          </ActionIcon>
          <ActionIcon aria-label="Show the whole maps" onClick={() => setView(wholeMap(tokens))}>
            <IconZoomReset size={16} stroke={1.5} />
          </ActionIcon>
        </span>
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <fieldset
        aria-label="Three maps of the head; arrows move from cell to cell, + and − zoom"
        className={classes.maps}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        {maps.map((map) => (
          <HeadMap
            key={map.title}
            {...map}
            name={fileName(difference.variant, map.title, `${head.layer}.${head.head}`)}
            tokens={tokens}
            labels={labels}
            view={view}
            onView={setView}
            pointed={pointed}
            onPointed={setPointed}
          />
        ))}
      </fieldset>
      <output className={parts.under} aria-label="Values under the pointer">
        {pointed && at !== null ? (
          <span>
            <span className={parts.token}>{labels[pointed.row]}</span> looks at{' '}
            <span className={parts.token}>{labels[pointed.column]}</span>: base{' '}
            {formatFigure(pair.base[at] ?? 0)}, variant {formatFigure(pair.variant[at] ?? 0)},
            difference {formatSigned(change[at] ?? 0)}
          </span>
        ) : (
          <span>
            Point at a cell for its values; the wheel zooms all three, dragging moves them.
          </span>
        )}
      </output>
    </>
  );
}

const steps: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowDown: [1, 0],
  ArrowUp: [-1, 0],
  ArrowRight: [0, 1],
  ArrowLeft: [0, -1],
};

/** The part that is shown, moved so that a cell lies in it. */
function including(view: Window, tokens: number, cell: { row: number; column: number }): Window {
  const by = (at: number, from: number): number =>
    at < from ? at - from : Math.max(0, at + 1 - from - view.size);
  return movedBy(view, tokens, by(cell.column, view.x), by(cell.row, view.y));
}

/** Where the head looks now, in words. */
function Shifted({ pair, labels }: { pair: PatternPair; labels: readonly string[] }) {
  const shift = useMemo(() => largestShift(pair), [pair]);
  if (!shift) return 'This head looks at the same tokens in both.';
  const { row, gained, lost } = shift;
  return (
    <>
      It changed most where <strong>{labels[row]}</strong> (token {row + 1}) looks:{' '}
      {gained && (
        <>
          <strong>{labels[gained.column]}</strong> gained {formatFigure(gained.by)}
        </>
      )}
      {gained && lost && ', '}
      {lost && (
        <>
          <strong>{labels[lost.column]}</strong> lost {formatFigure(-lost.by)}
        </>
      )}{' '}
      of its attention.
    </>
  );
}
