import type { Memory } from '../source.ts';
import type { Captures } from './captures.ts';

/** The captures of this process; what they take is loaded by who asks first. */
export interface LazyCaptures {
  open(): Promise<Captures>;
  /** Lets go of captures where a model to be loaded has no room beside them. */
  makeRoom(memory: Memory): Promise<void>;
}

export function lazyCaptures(): LazyCaptures {
  let opened: Promise<Captures> | null = null;
  return {
    open: () => (opened ??= import('./captures.ts').then((module) => new module.Captures())),
    async makeRoom({ needs, memoryLimit }) {
      if (opened === null) return;
      const { roomWithin } = await import('./room.ts');
      await (await opened).letGo(needs, () => roomWithin(memoryLimit));
    },
  };
}
