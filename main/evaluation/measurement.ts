import type { Measurement } from '../../preload/contract/evaluation.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import { bootstrapInterval, columnSums, pairedBootstrap } from './statistics.ts';

/** Numbers of each item that add up over items, and the figure that a sum of them gives. */
export interface Sums {
  readonly model: readonly (readonly number[])[];
  /** Of the base, on the same items. */
  readonly base: readonly (readonly number[])[] | null;
  readonly figure: (sums: readonly number[]) => number;
  readonly details?: Measurement['details'];
}

/**
 * The figure over all items with its interval, and its difference from the base's. Everything is
 * added up before the figure is taken, so that long items weigh what they hold.
 */
export function measured(
  name: string,
  { model, base, figure, details = {} }: Sums,
  seed: number,
): Omit<Measurement, 'protocol'> {
  const overall = (rows: readonly (readonly number[])[]): number => figure(columnSums(rows));
  const value = finite(name, overall(model));
  const interval = model.length < 2 ? null : bootstrapInterval(model, overall, { seed });
  return {
    value,
    ci95: interval && [interval.low, interval.high],
    n: model.length,
    details,
    against: base && compared(name, model, base, overall, seed),
  };
}

function compared(
  name: string,
  model: readonly (readonly number[])[],
  base: readonly (readonly number[])[],
  overall: (rows: readonly (readonly number[])[]) => number,
  seed: number,
): Measurement['against'] {
  const value = finite(name, overall(base));
  const difference = overall(model) - value;
  if (model.length < 2) return { value, difference, ci95: null, pValue: null };
  const pairs = model.map((row, at) => [row, base[at]] as const);
  const { low, high, pValue } = pairedBootstrap(
    pairs,
    (drawn) => overall(drawn.map(([own]) => own)) - overall(drawn.map(([, other]) => other)),
    { seed },
  );
  return { value, difference, ci95: [low, high], pValue };
}

function finite(name: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new LatheError('runtime_failed', `${name} is not a finite number on this data: ${value}`, {
    value: String(value),
  });
}
