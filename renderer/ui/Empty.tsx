import type { ReactNode } from 'react';
import classes from './Empty.module.css';

interface EmptyProps {
  /** One sentence that teaches. */
  children: ReactNode;
  /** One thing to do. */
  action?: ReactNode;
}

/** What stands where there is nothing yet. */
export function Empty({ children, action }: EmptyProps) {
  return (
    <div className={classes.empty}>
      <p>{children}</p>
      {action}
    </div>
  );
}
