import type { Captures } from './captures.ts';

/** The captures of this process; what they take is loaded by who asks first. */
export type LazyCaptures = () => Promise<Captures>;

export function lazyCaptures(): LazyCaptures {
  let opened: Promise<Captures> | null = null;
  return () => (opened ??= import('./captures.ts').then((module) => new module.Captures()));
}
