import { SegmentedControl, Select } from '@mantine/core';
import { useCallback, useMemo, useState } from 'react';
import type { Losses } from '../../../../preload/contract/index.ts';
import { drawDeciles } from '../../../charts/deciles.ts';
import { probabilityShade } from '../../../charts/probability.ts';
import { klShade } from '../../../state/differenceFigures.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { visible } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName, formatFigure, formatProbability } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { ShadeScale } from '../parts/ShadeScale.tsx';
import { TokenText, type Piece } from '../parts/TokenText.tsx';
import { LossMeans } from './LossMeans.tsx';
import { Pages, pageSize } from './Pages.tsx';
import classes from './tokenizer.module.css';

const scale = Array.from({ length: 9 }, (_, at) => `p${8 - at}`);

/** The text coloured by what one of the models makes of it, and all of them in figures. */
export function LossResult({ losses }: { losses: Losses }) {
  const { tokenizer, colors } = useStudio();
  const { shown, measure, position } = usePart(tokenizer.store, (state) => state);
  const [page, setPage] = useState(0);
  const { tokens, models } = losses;
  const one = models[shown] ?? models[0];
  const isKl = measure === 'kl' && one?.kl !== null;
  const start = Math.min(page, Math.max(0, Math.ceil(tokens.length / pageSize) - 1)) * pageSize;
  const pieces = useMemo(
    () =>
      tokens.slice(start, start + pageSize).map(({ text }, offset): Piece => {
        // The first token is not scored: nothing foretold it.
        const at = start + offset - 1;
        if (!one || at < 0) return { text, dim: true };
        const shade = isKl
          ? 8 - klShade(one.kl?.[at] ?? 0)
          : probabilityShade(-(one.nats[at] ?? 0));
        return { text, shade: `p${shade}` };
      }),
    [tokens, start, one, isKl],
  );
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawDeciles(
        svg,
        models.map(({ model, byDecile }) => ({
          label: model,
          color: colors.of(model),
          means: byDecile,
        })),
        width,
      ),
    [models, colors],
  );
  if (!one) return null;
  const name = fileName(...models.map(({ model }) => model).slice(0, 1), 'losses');
  return (
    <div className={parts.columns}>
      <div className={classes.text}>
        <div className={parts.head}>
          <span className={parts.named}>
            Coloured by
            <Select
              aria-label="Model that colours the text"
              size="xs"
              className={classes.other}
              value={String(shown)}
              data={models.map(({ model }, index) => ({ value: String(index), label: model }))}
              onChange={(index) => tokenizer.change({ shown: Number(index) })}
            />
          </span>
          <SegmentedControl
            aria-label="Measure that colours the text"
            value={isKl ? 'kl' : 'loss'}
            data={[
              { value: 'loss', label: 'Loss' },
              { value: 'kl', label: 'KL to the first', disabled: one.kl === null },
            ]}
            onChange={(next) => tokenizer.change({ measure: next === 'kl' ? 'kl' : 'loss' })}
          />
          <span className={parts.end}>
            <Pages count={tokens.length} start={start} onPage={setPage} />
            <SaveMenu
              label="Save the losses"
              name={name}
              csv={() => csvOf(losses)}
              npy={() => ({ shape: [one.nats.length], data: isKl && one.kl ? one.kl : one.nats })}
            />
          </span>
        </div>
        <TokenText
          label="Text coloured by loss"
          pieces={pieces}
          cursor={position === null ? null : position - start}
          onCursor={(at) => tokenizer.change({ position: start + at })}
        />
        <div className={parts.under}>
          {isKl ? (
            <ShadeScale caption="KL(first ‖ this), nats" shades={scale} from="0.001" to="3" />
          ) : (
            <ShadeScale caption="Loss, nats" shades={scale} from="0" to="6.9" />
          )}
        </div>
        <Readout losses={losses} index={position} />
      </div>
      <div className={classes.deciles}>
        <LossMeans losses={losses} />
        <Chart
          label="Mean loss by how frequent the tokens are"
          draw={draw}
          save={{ name: `${name}-deciles`, csv: () => decilesCsv(losses) }}
        />
      </div>
    </div>
  );
}

/** What every model makes of the token that is pointed at. */
function Readout({ losses, index }: { losses: Losses; index: number | null }) {
  const { tokens, deciles, models } = losses;
  const token = index === null ? undefined : tokens[index];
  const at = (index ?? 0) - 1;
  return (
    <output className={classes.readout} aria-label="Values of the token">
      {token && (
        <>
          <span className={parts.token}>{visible(token.text)}</span>
          {at < 0 && <span>the first token is not scored</span>}
          {at >= 0 &&
            models.map(({ model, nats, kl }) => (
              <span key={model}>
                {model}: {formatFigure(nats[at] ?? 0)} nats (
                {formatProbability(Math.exp(-(nats[at] ?? 0)))})
                {kl && `, KL ${formatFigure(kl[at] ?? 0)}`}
              </span>
            ))}
          {at >= 0 && <span>tenth by frequency: {(deciles[at + 1] ?? 0) + 1}</span>}
        </>
      )}
    </output>
  );
}

function csvOf({ tokens, deciles, models }: Losses): string {
  const scored = models.flatMap(({ model, kl }) => [
    `${model} nats`,
    ...(kl ? [`${model} kl_nats`] : []),
  ]);
  return toCsv(
    ['index', 'id', 'text', 'decile', ...scored],
    tokens
      .slice(1)
      .map(({ id, text }, at) => [
        at + 1,
        id,
        text,
        (deciles[at + 1] ?? 0) + 1,
        ...models.flatMap(({ nats, kl }) => [nats[at] ?? null, ...(kl ? [kl[at] ?? null] : [])]),
      ]),
  );
}

const decilesCsv = ({ models }: Losses): string =>
  toCsv(
    ['decile', ...models.map(({ model }) => model)],
    Array.from({ length: 10 }, (_, decile) => [
      decile + 1,
      ...models.map(({ byDecile }) => byDecile[decile] ?? null),
    ]),
  );
