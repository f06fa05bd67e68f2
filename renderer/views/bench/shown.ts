import type { BenchRecord } from '../../../preload/contract/index.ts';
import { formatWhen } from '../../ui/format.ts';
import { shortName } from '../modelNames.ts';

/** A measurement with the name and the colour that the pictures give it. */
export interface Shown {
  readonly record: BenchRecord;
  readonly label: string;
  readonly color: string;
}

/** Colours of measurements whose model has its own colour in the picture already. */
const neutral = ['var(--lathe-text)', 'var(--lathe-bar)', 'var(--lathe-dim)'];

/** Each in the colour of its model; what repeats a model is told apart by a neutral one and the date. */
export function showAll(
  records: readonly BenchRecord[],
  colorOf: (model: string) => string,
): Shown[] {
  let repeats = 0;
  return records.map((record, index) => {
    const isSame = ({ model }: BenchRecord): boolean => model === record.model;
    const name = shortName(record.model);
    const isRepeat = records.slice(0, index).some(isSame);
    const color = isRepeat ? neutral[repeats % neutral.length] : undefined;
    if (isRepeat) repeats += 1;
    return {
      record,
      label: records.filter(isSame).length > 1 ? `${name}, ${formatWhen(record.measuredAt)}` : name,
      color: color ?? colorOf(record.model),
    };
  });
}
