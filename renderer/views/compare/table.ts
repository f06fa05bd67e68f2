import type { Sort } from '../../state/compare.ts';
import type { Point } from '../../state/points.ts';
import {
  formatNumber,
  quantityOf,
  titleWithUnit,
  type QuantityKey,
} from '../../state/quantities.ts';
import { toCsv } from '../../ui/save.ts';
import { spreadText } from './words.ts';

/** Points by a column; those without a value stand last, whichever way it is sorted. */
export function sortPoints(points: readonly Point[], { by, descending }: Sort): Point[] {
  const sign = descending ? -1 : 1;
  if (by === 'name')
    return points.toSorted((a, b) => sign * a.model.name.localeCompare(b.model.name));
  return points.toSorted((a, b) => {
    const [left, right] = [a.values.get(by)?.value, b.values.get(by)?.value];
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined);
    return sign * (left - right);
  });
}

/** The table as CSV: value, interval and n of every column; what was not measured is empty. */
export const tableCsv = (points: readonly Point[], columns: readonly QuantityKey[]): string =>
  toCsv(
    ['model', ...columns.flatMap((key) => [key, `${key}_low`, `${key}_high`, `${key}_n`])],
    points.map(({ model, values }) => [
      model.name,
      ...columns.flatMap((key) => {
        const { value = null, ci95 = null, n = null } = values.get(key) ?? {};
        return [value, ci95?.[0] ?? null, ci95?.[1] ?? null, n];
      }),
    ]),
  );

/** The table as JSON, each value with how it was measured. */
export const tableJson = (points: readonly Point[], columns: readonly QuantityKey[]): unknown =>
  points.map(({ model, values }) => ({
    model: model.name,
    sha256: model.sha256,
    ...Object.fromEntries(
      columns.flatMap((key) => {
        const reading = values.get(key);
        if (!reading) return [];
        const { value, ci95, n, record } = reading;
        return [
          [
            key,
            {
              value,
              unit: quantityOf(key).unit,
              ci95,
              n,
              against: record && 'metric' in record ? record.against : null,
              protocol: record?.protocol ?? null,
              measuredAt: record?.measuredAt ?? null,
            },
          ],
        ];
      }),
    ),
  }));

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

/** The table as Markdown. */
export function tableMarkdown(points: readonly Point[], columns: readonly QuantityKey[]): string {
  const header = ['Model', ...columns.map((key) => titleWithUnit(quantityOf(key)))];
  return [
    row(header),
    row(header.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...points.map(({ model, values }) =>
      row([
        model.name,
        ...columns.map((key) => {
          const reading = values.get(key);
          if (!reading) return '–';
          const n = reading.n === null ? '' : `(n ${reading.n})`;
          return [formatNumber(reading.value), spreadText(reading), n].filter(Boolean).join(' ');
        }),
      ]),
    ),
    '',
  ].join('\n');
}
