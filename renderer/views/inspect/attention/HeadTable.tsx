import { memo, useState } from 'react';
import type { Capture, HeadStatistics } from '../../../../preload/contract/index.ts';
import { sortHeads, statistics, type StatisticName } from '../../../state/heads.ts';
import { sameHead, toggledHead } from '../../../state/inspect.ts';
import { Empty } from '../../../ui/Empty.tsx';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { SortHead, Table } from '../../../ui/Table.tsx';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import classes from './HeadTable.module.css';
import view from './Attention.module.css';
import { headsCsv } from './HeadSheet.tsx';

interface HeadTableProps {
  capture: Capture;
  heads: readonly HeadStatistics[];
  /** Found by a search, and in its order until a column is chosen. */
  isFound: boolean;
}

interface Order {
  readonly by: StatisticName | 'place';
  readonly isAscending: boolean;
}

/** The statistics of every head, by any of them. */
export function HeadTable({ capture, heads, isFound }: HeadTableProps) {
  const { inspect } = useStudio();
  const shown = usePart(inspect.store, (state) => state.shown);
  const off = usePart(inspect.store, (state) => state.off);
  const [order, setOrder] = useState<Order | null>(null);
  const rows = order ? sortHeads(heads, order.by, order.isAscending) : heads;
  const sortBy = (by: Order['by']): void =>
    setOrder((before) => ({
      by,
      isAscending: before?.by === by ? !before.isAscending : by === 'place',
    }));
  const column = (by: Order['by'], title: string, meaning: string) => (
    <SortHead
      key={by}
      rising={order?.by === by ? order.isAscending : null}
      meaning={meaning}
      onSort={() => sortBy(by)}
    >
      {title}
    </SortHead>
  );
  if (rows.length === 0) return <Empty>No head does this in this text.</Empty>;
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <section className={classes.scroll} tabIndex={0} aria-label="Statistics of the heads">
        <Table kind="list" className={classes.table}>
          <thead>
            <tr>
              {column('place', 'Head', 'Layer and head')}
              <th scope="col">Off</th>
              {statistics.map(({ name, title, meaning, unit }) =>
                column(name, unit === 'share' ? title : `${title}, ${unit}`, meaning),
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map((head) => (
              <Row
                key={`${head.layer}.${head.head}`}
                head={head}
                isShown={shown.kind === 'head' && sameHead(shown, head)}
                isOff={off.some((other) => sameHead(other, head))}
              />
            ))}
          </tbody>
        </Table>
      </section>
      <div className={parts.tools}>
        <span className={view.told}>
          {isFound && order === null
            ? 'Those that fit best first.'
            : 'Means over the positions of this text; – where no token repeats.'}
        </span>
        <span className={parts.end}>
          <SaveMenu
            label="Save the statistics"
            name={fileName(capture.model, 'heads')}
            csv={() => headsCsv(rows)}
            json={() => rows}
          />
        </span>
      </div>
    </>
  );
}

interface RowProps {
  head: HeadStatistics;
  isShown: boolean;
  isOff: boolean;
}

/** One of hundreds: drawn anew only when something about it changes. */
const Row = memo(function Row({ head, isShown, isOff }: RowProps) {
  const { inspect } = useStudio();
  const place = { layer: head.layer, head: head.head };
  return (
    <tr aria-selected={isShown}>
      <td>
        <button type="button" onClick={() => inspect.show({ kind: 'head', ...place })}>
          L{head.layer} H{head.head}
        </button>
      </td>
      <td>
        <input
          type="checkbox"
          aria-label={`Switch layer ${head.layer} head ${head.head} off`}
          checked={isOff}
          onChange={() => inspect.setOff(toggledHead(inspect.store.getState().off, place))}
        />
      </td>
      {statistics.map(({ name }) => (
        <td key={name}>{head[name]?.toFixed(2) ?? '–'}</td>
      ))}
    </tr>
  );
});
