import classes from './Dot.module.css';

export type DotKind = 'good' | 'busy' | 'bad' | 'off';

/** A state at a glance; the words beside it say the same. */
export function Dot({ kind }: { kind: DotKind }) {
  return <span className={classes.dot} data-kind={kind} aria-hidden="true" />;
}
