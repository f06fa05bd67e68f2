import { Kbd } from '@mantine/core';
import classes from './Keys.module.css';

/** Keys as they are written on the keyboard. */
export function Keys({ names }: { names: readonly string[] }) {
  return (
    <span className={classes.keys}>
      {names.map((name) => (
        <Kbd key={name} size="xs">
          {name}
        </Kbd>
      ))}
    </span>
  );
}
