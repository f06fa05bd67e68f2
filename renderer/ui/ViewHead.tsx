import type { ReactNode } from 'react';
import classes from './ViewHead.module.css';

interface ViewHeadProps {
  title: string;
  /** What is chosen for all of the view. */
  children?: ReactNode;
  /** What is known of it, in small print; what does not fit is cut off. */
  facts?: readonly string[];
  /** What the view is there to do, at the far end. */
  action?: ReactNode;
}

/** The bar at the head of every view. */
export function ViewHead({ title, children, facts, action }: ViewHeadProps) {
  return (
    <header className={classes.head}>
      <h1>{title}</h1>
      {children}
      {facts && (
        <span className={classes.facts}>
          {facts.map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </span>
      )}
      {action && <span className={classes.action}>{action}</span>}
    </header>
  );
}
