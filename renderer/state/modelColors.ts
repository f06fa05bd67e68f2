import { readStored, type Memory } from './memory.ts';

/** As many colours as can be told apart; the theme knows them as `series1`, `series2`, … */
const count = 7;

/** Gives every model a colour, and the same one whenever and wherever it is drawn. */
export interface ModelColors {
  /** The colour of the model of this name, as CSS. */
  of(model: string): string;
}

/** The first models that are asked for get colours of their own; behind them the rarest repeats. */
export function createModelColors(memory: Memory): ModelColors {
  const slots = new Map<string, number>();
  for (const [model, slot] of Object.entries(readStored<Record<string, number>>(memory, 'colors')))
    if (Number.isInteger(slot)) slots.set(model, Number(slot) % count);

  const rarest = (): number => {
    const uses = Array.from({ length: count }, () => 0);
    for (const slot of slots.values()) uses[slot] = (uses[slot] ?? 0) + 1;
    return uses.indexOf(Math.min(...uses));
  };
  return {
    of(model) {
      let slot = slots.get(model);
      if (slot === undefined) {
        slot = rarest();
        slots.set(model, slot);
        memory.write('colors', Object.fromEntries(slots));
      }
      return `var(--lathe-series${slot + 1})`;
    },
  };
}
