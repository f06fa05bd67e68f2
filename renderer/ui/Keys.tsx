import { Kbd } from '@mantine/core';
import classes from './Keys.module.css';

/** Keys as they are written on the keyboard; hidden from readers, which announce the command. */
export function Keys({ names }: { names: readonly string[] }) {
  return (
    <span className={classes.keys} aria-hidden="true">
      {names.map((name) => (
        <Kbd key={name} size="xs">
          {name}
        </Kbd>
      ))}
    </span>
  );
}
