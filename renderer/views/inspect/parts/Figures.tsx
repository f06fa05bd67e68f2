import { Tooltip } from '@mantine/core';
import classes from './parts.module.css';

export interface Figure {
  readonly name: string;
  readonly explanation: string;
  /** Null where it was not measured. */
  readonly value: string | null;
}

/** Figures in a row, each with what it means. */
export function Figures({ label, figures }: { label: string; figures: readonly Figure[] }) {
  return (
    <dl className={classes.figures} aria-label={label}>
      {figures.map(({ name, explanation, value }) => (
        <Tooltip key={name} label={explanation}>
          <div>
            <dt>{name}</dt>
            <dd>{value ?? '–'}</dd>
          </div>
        </Tooltip>
      ))}
    </dl>
  );
}
