import { useCallback, useMemo, useState, type PointerEvent } from 'react';
import type { Losses } from '../../../preload/contract/index.ts';
import {
  drawDivergence,
  drawDivergenceCursor,
  laneAt,
  layOutDivergence,
  tokenAt,
} from '../../charts/divergence.ts';
import type { Surface } from '../../charts/surface.ts';
import { formatNumber } from '../../state/quantities.ts';
import { peaksOf } from '../../state/textDivergence.ts';
import { CanvasView, type Size } from '../../ui/CanvasView.tsx';
import { visible } from '../../ui/format.ts';
import { SaveMenu } from '../../ui/SaveMenu.tsx';
import { toCsv } from '../../ui/save.ts';
import { wholeCanvas, wholeSvg } from '../../ui/wholePicture.ts';
import { Table } from '../../ui/Table.tsx';
import { useStudio } from '../studioContext.ts';
import classes from './TextPane.module.css';
import { withoutBase } from './words.ts';

/** KL at every token, one lane per variant, and the tokens where it is largest. */
export function TextStrip({ losses, text }: { losses: Losses; text: string }) {
  const studio = useStudio();
  const { colors } = studio;
  const [room, setRoom] = useState<Size>({ width: 0, height: 0 });
  const [cursor, setCursor] = useState<number | null>(null);
  const base = losses.models[0]?.model ?? '';
  const variants = useMemo(() => losses.models.filter(({ kl }) => kl !== null), [losses]);
  const picture = useMemo(
    () => ({
      tokens: losses.tokens.map((token) => visible(token.text)),
      lanes: variants.map(({ model, kl }) => ({
        label: model,
        color: colors.of(model),
        kl: kl ?? new Float32Array(),
      })),
    }),
    [losses, variants, colors],
  );
  const layout = useMemo(() => layOutDivergence(picture, room.width), [picture, room.width]);
  const sizeIn = useCallback(
    ({ width }: Size): Size => {
      const { width: wide, height } = layOutDivergence(picture, width);
      return { width: wide, height };
    },
    [picture],
  );
  const draw = useCallback((surface: Surface) => drawDivergence(surface, layout), [layout]);
  const marks = useCallback(
    (surface: Surface) => {
      if (cursor !== null) drawDivergenceCursor(surface, layout, cursor);
    },
    [layout, cursor],
  );
  const inspect = (variant: number): void => {
    const model = variants[variant]?.model;
    if (model !== undefined) studio.inspectPair(base, model, text);
  };
  return (
    <div className={classes.read}>
      <div className={classes.strip}>
        <div
          className={classes.canvas}
          onPointerMove={(event) => setCursor(tokenAt(layout, placeOf(event)[0]))}
          onPointerLeave={() => setCursor(null)}
          onPointerUp={(event) => {
            const lane = laneAt(layout, placeOf(event)[1]);
            if (cursor !== null && lane !== null) inspect(lane);
          }}
        >
          <CanvasView
            label={`KL to ${base} at ${losses.tokens.length} tokens for ${variants.length} variants`}
            size={sizeIn}
            draw={draw}
            marks={marks}
            onRoom={setRoom}
          />
        </div>
        <p className={classes.readout}>
          {cursor === null
            ? 'Click a token of a variant to look into it.'
            : readoutOf(losses, cursor)}
          <SaveMenu
            label="Save the divergence"
            name="lathe-divergence"
            svg={() => wholeSvg(layout, draw)}
            canvas={() => wholeCanvas(layout, draw)}
            csv={() => csvOf(losses)}
            json={() => jsonOf(losses)}
            npy={() => npyOf(losses)}
          />
        </p>
      </div>
      <Peaks losses={losses} onInspect={inspect} onPoint={setCursor} />
    </div>
  );
}

/** Where the pointer is in the whole picture, scrolled or not. */
const placeOf = (event: PointerEvent<HTMLDivElement>): readonly [number, number] => {
  const box = event.currentTarget.getBoundingClientRect();
  const scroller = event.currentTarget.firstElementChild;
  return [
    event.clientX - box.left + (scroller?.scrollLeft ?? 0),
    event.clientY - box.top + (scroller?.scrollTop ?? 0),
  ];
};

function Peaks(props: {
  losses: Losses;
  onInspect: (variant: number) => void;
  onPoint: (position: number | null) => void;
}) {
  const { losses, onInspect, onPoint } = props;
  const peaks = useMemo(() => peaksOf(losses, 12), [losses]);
  const variants = losses.models.filter(({ kl }) => kl !== null);
  return (
    <Table kind="list" className={classes.peaks} aria-label="Where they part most">
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col" data-number>
            KL (nats)
          </th>
          <th scope="col">Variant</th>
        </tr>
      </thead>
      <tbody>
        {peaks.map(({ position, variant, kl }) => (
          <tr
            key={position}
            onPointerEnter={() => onPoint(position)}
            onPointerLeave={() => onPoint(null)}
          >
            <td>
              <button
                type="button"
                className={classes.token}
                aria-label={`Inspect token ${position}, ${visible(losses.tokens[position]?.text ?? '')}`}
                onFocus={() => onPoint(position)}
                onClick={() => onInspect(variant)}
              >
                {visible(losses.tokens[position]?.text ?? '')}
              </button>
            </td>
            <td data-number>{formatNumber(kl)}</td>
            <td title={variants[variant]?.model}>
              {withoutBase(variants[variant]?.model ?? '', losses.models[0]?.model ?? '')}
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function readoutOf({ tokens, models }: Losses, position: number): string {
  const token = visible(tokens[position]?.text ?? '');
  if (position === 0) return `Token 0, ${token}: nothing stands before it`;
  const values = models.flatMap(({ model, kl }) =>
    kl === null ? [] : [`${model} ${formatNumber(kl[position - 1] ?? 0)} nats`],
  );
  return `Token ${position}, ${token}: ${values.join(' · ')}`;
}

const csvOf = ({ tokens, models }: Losses): string =>
  toCsv(
    [
      'position',
      'token',
      ...models.flatMap(({ model, kl }) => [`${model} nats`, ...(kl ? [`${model} kl`] : [])]),
    ],
    tokens
      .slice(1)
      .map(({ text }, index) => [
        index + 1,
        text,
        ...models.flatMap(({ nats, kl }) => [
          nats[index] ?? null,
          ...(kl ? [kl[index] ?? null] : []),
        ]),
      ]),
  );

const jsonOf = ({ tokens, models }: Losses): unknown => ({
  tokens: tokens.map(({ text }) => text),
  models: models.map(({ model, nats, kl }) => ({
    model,
    nats: Array.from(nats),
    kl: kl && Array.from(kl),
  })),
});

/** KL, a row per variant. */
function npyOf({ models }: Losses) {
  const rows = models.flatMap(({ kl }) => kl ?? []);
  const columns = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * columns);
  for (const [index, row] of rows.entries()) data.set(row, index * columns);
  return { shape: [rows.length, columns], data };
}
