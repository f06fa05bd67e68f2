import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import type { ComponentProps, ReactNode } from 'react';
import classes from './Table.module.css';

interface TableProps extends ComponentProps<'table'> {
  /** Figures stand in a text; a list fills a pane, and its head stays where it is scrolled. */
  kind: 'figures' | 'list';
}

/** Every table. Cells with `data-number` stand at the right. */
export function Table({ kind, className = '', ...table }: TableProps) {
  return <table {...table} data-kind={kind} className={`${classes.table} ${className}`} />;
}

interface SortHeadProps {
  /** Which way the rows are sorted by this column; null where they are not. */
  rising: boolean | null;
  isNumber?: boolean;
  /** What the column means. */
  meaning?: string;
  children: ReactNode;
  onSort: () => void;
}

/** The head of a column that a table can be sorted by. */
export function SortHead({ rising, isNumber, meaning, children, onSort }: SortHeadProps) {
  const Arrow = rising === true ? IconArrowUp : IconArrowDown;
  return (
    <th
      scope="col"
      title={meaning}
      data-number={isNumber || undefined}
      aria-sort={rising === null ? 'none' : rising ? 'ascending' : 'descending'}
    >
      <button type="button" className={classes.sort} onClick={onSort}>
        {children}
        {rising !== null && <Arrow size={12} aria-hidden="true" />}
      </button>
    </th>
  );
}
