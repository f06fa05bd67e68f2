import { NumberInput, Select } from '@mantine/core';
import { quantityOf, type QuantityKey } from '../../state/quantities.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { useComparison } from './comparison.ts';
import classes from './Side.module.css';

/** Which of several ways of measuring is shown, and the price that costs follow from. */
export function MeasuredWith() {
  const { compare, price } = useStudio();
  const { series, benchSeries } = useComparison();
  const x = usePart(compare.store, (state) => state.x);
  const y = usePart(compare.store, (state) => state.y);
  const columns = usePart(compare.store, (state) => state.columns);
  const chosen = usePart(compare.store, (state) => state.chosen);
  const perHour = usePart(price.store, (state) => state.perHour);
  const shown = [...new Set([y, x, ...columns])];
  const choices = shown.filter((key) => (series.get(key)?.length ?? 0) > 1);
  const choose = (key: QuantityKey | 'bench', value: string | null): void =>
    compare.change({ chosen: { ...chosen, ...(value !== null && { [key]: value }) } });
  return (
    <section aria-label="Measured with" className={classes.section}>
      <div className={classes.heading}>
        <h2>Measured with</h2>
      </div>
      {shown.map((key) => {
        const all = series.get(key);
        if (!all || choices.includes(key)) return null;
        return (
          <p key={key} className={classes.note}>
            {quantityOf(key).title}: {all[0]?.label}
          </p>
        );
      })}
      {choices.map((key) => (
        <Select
          key={key}
          size="xs"
          label={quantityOf(key).title}
          value={chosen[key] ?? series.get(key)?.[0]?.key ?? null}
          data={(series.get(key) ?? []).map(({ key: value, label, models }) => ({
            value,
            label: `${label} (${models})`,
          }))}
          onChange={(value) => choose(key, value)}
        />
      ))}
      {benchSeries.length === 1 && <p className={classes.note}>Speed: {benchSeries[0]?.label}</p>}
      {benchSeries.length > 1 && (
        <Select
          size="xs"
          label="Speed"
          value={chosen.bench ?? benchSeries[0]?.key ?? null}
          data={benchSeries.map(({ key, label, models }) => ({
            value: key,
            label: `${label} (${models})`,
          }))}
          onChange={(value) => choose('bench', value)}
        />
      )}
      <NumberInput
        size="xs"
        label="Price of the machine per hour"
        description="Costs are reckoned with it, in the same money."
        placeholder="0.25"
        min={0}
        hideControls
        value={perHour ?? ''}
        onChange={(value) => price.set(value === '' ? null : Number(value))}
      />
    </section>
  );
}
