import type { BenchRecord } from '../../../preload/contract/index.ts';
import { formatWhen } from '../../ui/format.ts';
import { shortName } from '../modelNames.ts';

/** A measurement with the name and the colour that the pictures give it. */
export interface Shown {
  readonly record: BenchRecord;
  readonly label: string;
  readonly color: string;
}

/** Each in the colour of its model; what a model repeats is told apart by shade and date. */
export function showAll(
  records: readonly BenchRecord[],
  colorOf: (model: string) => string,
): Shown[] {
  return records.map((record, index) => {
    const isSame = ({ model }: BenchRecord): boolean => model === record.model;
    const repeats = records.filter(isSame).length > 1;
    const color = colorOf(record.model);
    const name = shortName(record.model);
    return {
      record,
      label: repeats ? `${name}, ${formatWhen(record.measuredAt)}` : name,
      color: shadeOf(color, records.slice(0, index).filter(isSame).length),
    };
  });
}

const shadeOf = (color: string, repeat: number): string =>
  [
    color,
    `color-mix(in srgb, ${color} 50%, var(--lathe-surface))`,
    `color-mix(in srgb, ${color} 50%, var(--lathe-text))`,
  ][repeat] ?? 'var(--lathe-bar)';
