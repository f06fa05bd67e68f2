import { NumberInput, Tooltip, VisuallyHidden } from '@mantine/core';
import { figuresOf, type BenchFigure } from '../../state/benchFigures.ts';
import { figuresTable } from '../../state/benchFiles.ts';
import { SaveMenu } from '../../ui/SaveMenu.tsx';
import { Table } from '../../ui/Table.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { csvOf, formatChange, formatFigure } from './benchWords.ts';
import resultClasses from './Results.module.css';
import classes from './Summary.module.css';
import type { Shown } from './shown.ts';

/** The figures of each measurement beside each other, those behind the first against it. */
export function Summary({ shown, name }: { shown: readonly Shown[]; name: string }) {
  const { price } = useStudio();
  const cost = usePart(price.store, (state) => state);
  const records = shown.map(({ record }) => record);
  const figures = records.map((record) => figuresOf(record, cost));
  const keys = [...new Map(figures.flat().map((figure) => [figure.key, figure]))];
  const [first] = figures;
  return (
    <section
      aria-label="Figures"
      className={resultClasses.card}
      data-wide={shown.length > 1 || undefined}
    >
      <div className={classes.title}>
        <h2>Figures</h2>
        <Tooltip label="What an hour of this machine costs, in any money; costs are told in the same.">
          <NumberInput
            aria-label="Price of an hour"
            size="xs"
            className={classes.price}
            placeholder="Price of an hour"
            prefix="Price of an hour "
            value={cost.perHour ?? ''}
            min={0}
            decimalScale={4}
            hideControls
            onChange={(next) => price.set(typeof next === 'number' ? next : null)}
          />
        </Tooltip>
        <SaveMenu
          label="Save the figures"
          name={`${name}-figures`}
          csv={() => csvOf(figuresTable(records, figures))}
          json={() => (records.length === 1 ? records[0] : records)}
        />
      </div>
      <div className={classes.frame}>
        <Table kind="figures" className={classes.table} aria-label="Figures of the measurements">
          <thead>
            <tr>
              <th scope="col">
                <VisuallyHidden>Figure</VisuallyHidden>
              </th>
              {shown.map(({ record, label, color }) => (
                <th key={record.id} scope="col" title={record.model}>
                  <span className={classes.swatch} style={{ background: color }} />
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {keys.map(([key, { name: title }]) => (
              <tr key={key}>
                <th scope="row">{title}</th>
                {figures.map((each, index) => (
                  <Figure
                    key={records[index]?.id}
                    figure={each.find((figure) => figure.key === key)}
                    first={index === 0 ? undefined : first?.find((figure) => figure.key === key)}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </Table>
      </div>
    </section>
  );
}

interface FigureProps {
  figure: BenchFigure | undefined;
  /** The same of the first measurement, where this is another. */
  first: BenchFigure | undefined;
}

function Figure({ figure, first }: FigureProps) {
  if (!figure) return <td className={classes.note}>not asked for</td>;
  const { value, note, less } = figure;
  if (value === null) return <td className={classes.note}>{note}</td>;
  const ratio = first?.value ? value / first.value : 1;
  const change = formatChange(ratio);
  const isBetter = ratio < 1 === less;
  return (
    <td>
      <span className={classes.value}>{formatFigure(figure, value)}</span>
      {change !== null && (
        <span className={isBetter ? classes.better : classes.worse}>{change}</span>
      )}
      <span className={classes.note}>{note}</span>
    </td>
  );
}
