import { metrics } from '../../../preload/contract/index.ts';
import type { Point } from '../../state/points.ts';
import {
  formatNumber,
  formatValue,
  quantityOf,
  type QuantityKey,
  type Reading,
} from '../../state/quantities.ts';
import { shortName } from '../modelNames.ts';

/** What a point is called in the chart: a variant without the model it was made from. */
export function pointLabel({ model, family }: Point): string {
  const name = shortName(model.name);
  return model.parent !== null && name.startsWith(`${family}/`)
    ? name.slice(family.length + 1)
    : name;
}

/** `± 0.09`, `−0.1 + 0.3` where the two sides differ; null without an interval. */
export function spreadText({ value, ci95 }: Pick<Reading, 'value' | 'ci95'>): string | null {
  if (ci95 === null) return null;
  const [below, above] = [value - ci95[0], ci95[1] - value];
  return Math.abs(below - above) <= 0.1 * Math.max(below, above)
    ? `± ${short((below + above) / 2)}`
    : `−${short(below)} +${short(above)}`;
}

/** Two figures: no interval is known better. */
const short = (value: number): string => formatNumber(Number(value.toPrecision(2)));

/** `Perplexity 4.02 ± 0.09, n 200` */
export function readingText(key: QuantityKey, reading: Reading): string {
  const { title } = quantityOf(key);
  return [
    [title, formatValue(key, reading.value), spreadText(reading)].filter(Boolean).join(' '),
    ...(reading.n === null ? [] : [`n ${reading.n.toLocaleString('en')}`]),
  ].join(', ');
}

/** `+0.25 to tiny-stories, p 0.003`: on the same items; null where nothing was compared. */
export function differenceText({ record }: Reading): string | null {
  if (!record || !('metric' in record) || metrics[record.metric].needsBase) return null;
  const { against, base } = record;
  if (against === null || base === null) return null;
  const { difference, ci95, pValue } = against;
  const sign = difference > 0 ? '+' : '';
  return [
    [`${sign}${formatNumber(difference)}`, spreadText({ value: difference, ci95 })]
      .filter(Boolean)
      .join(' '),
    ` to ${shortName(base)}`,
    pValue === null ? '' : `, p ${pValue < 0.001 ? '< 0.001' : formatNumber(pValue)}`,
  ].join('');
}

/** A variant of `base` without that one's name. */
export const withoutBase = (name: string, base: string): string =>
  name.startsWith(`${base}/`) ? name.slice(base.length + 1) : name;
