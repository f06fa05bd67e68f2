import { SegmentedControl } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { OperatorTime } from '../../../preload/contract/index.ts';
import {
  groupOperators,
  type OperatorGrouping,
  type OperatorRow,
} from '../../state/benchOperators.ts';
import { operatorsTable } from '../../state/benchFiles.ts';
import { formatCount } from '../../ui/format.ts';
import { SaveMenu } from '../../ui/SaveMenu.tsx';
import { SortHead, Table } from '../../ui/Table.tsx';
import { csvOf } from './benchWords.ts';
import classes from './Results.module.css';
import tableClasses from './OperatorTable.module.css';

type Column = 'name' | 'nodes' | 'calls' | 'prefillMs' | 'decodeMs';

const columns: readonly { key: Column; title: string }[] = [
  { key: 'name', title: 'Name' },
  { key: 'nodes', title: 'Nodes' },
  { key: 'calls', title: 'Calls' },
  { key: 'prefillMs', title: 'Prefill, ms' },
  { key: 'decodeMs', title: 'Decode step, ms' },
];

const groupings: readonly { value: OperatorGrouping; label: string }[] = [
  { value: 'operator', label: 'By operator' },
  { value: 'block', label: 'By block' },
  { value: 'node', label: 'Every node' },
];

interface Order {
  readonly column: Column;
  readonly isRising: boolean;
}

/** The same times as in the picture, to sort and to save. */
export function OperatorTable({
  operators,
  name,
}: {
  operators: readonly OperatorTime[];
  name: string;
}) {
  const [by, setBy] = useState<OperatorGrouping>('operator');
  const [order, setOrder] = useState<Order>({ column: 'decodeMs', isRising: false });
  const rows = useMemo(
    () => groupOperators(operators, by).toSorted(comparing(order)),
    [operators, by, order],
  );
  const sort = (column: Column): void =>
    setOrder({ column, isRising: order.column === column ? !order.isRising : column === 'name' });
  return (
    <>
      <div className={classes.cardTitle}>
        <h2>Operators</h2>
        <SegmentedControl
          aria-label="Group the operators"
          value={by}
          data={[...groupings]}
          onChange={(next) =>
            setBy(groupings.find(({ value }) => value === next)?.value ?? 'operator')
          }
        />
        <SaveMenu
          label="Save the table of operators"
          name={`${name}-operators`}
          csv={() => csvOf(operatorsTable(operators))}
          json={() => operators}
        />
      </div>
      <div className={tableClasses.frame}>
        <Table kind="figures" className={tableClasses.table} aria-label="Times of the operators">
          <thead>
            <tr>
              {columns.map(({ key, title }) => (
                <SortHead
                  key={key}
                  rising={order.column === key ? order.isRising : null}
                  isNumber={key !== 'name'}
                  onSort={() => sort(key)}
                >
                  {title}
                </SortHead>
              ))}
              <th scope="col">Share of the step</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.name} row={row} />
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}

function Row({ row }: { row: OperatorRow }) {
  return (
    <tr>
      <td className="mono" title={row.name}>
        {row.name}
      </td>
      <td data-number>{formatCount(row.nodes)}</td>
      <td data-number>{formatCount(row.calls)}</td>
      <td data-number>{row.prefillMs.toFixed(3)}</td>
      <td data-number>{row.decodeMs.toFixed(3)}</td>
      <td>
        <span className={tableClasses.share}>
          <span className={tableClasses.track}>
            <span style={{ width: `${row.decodeShare * 100}%` }} />
          </span>
          {(row.decodeShare * 100).toFixed(1)} %
        </span>
      </td>
    </tr>
  );
}

const comparing =
  ({ column, isRising }: Order) =>
  (a: OperatorRow, b: OperatorRow): number => {
    const sign = isRising ? 1 : -1;
    return column === 'name'
      ? sign * a.name.localeCompare(b.name, 'en', { numeric: true })
      : sign * (a[column] - b[column]);
  };
