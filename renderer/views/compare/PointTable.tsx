import { ActionIcon, Checkbox, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useMemo, useRef } from 'react';
import type { Sort } from '../../state/compare.ts';
import type { Point } from '../../state/points.ts';
import {
  formatNumber,
  quantityOf,
  titleWithUnit,
  type QuantityKey,
} from '../../state/quantities.ts';
import { SaveMenu } from '../../ui/SaveMenu.tsx';
import { SortHead, Table } from '../../ui/Table.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { useComparison } from './comparison.ts';
import { PointActions } from './PointActions.tsx';
import classes from './PointTable.module.css';
import { sortPoints, tableCsv, tableJson, tableMarkdown } from './table.ts';
import { differenceText, spreadText } from './words.ts';

const rowHeight = 32;

/** All models with what was measured of them; the way to every point by keyboard. */
export function PointTable() {
  const { compare, colors } = useStudio();
  const { points, front, reaching } = useComparison();
  const columns = usePart(compare.store, (state) => state.columns);
  const sort = usePart(compare.store, (state) => state.sort);
  const selected = usePart(compare.store, (state) => state.selected);
  const sorted = useMemo(() => sortPoints(points, sort), [points, sort]);
  const scroller = useRef<HTMLDivElement>(null);
  // Its result changes without its identity; nothing here is memoised on it.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
  });
  const shown = rows.getVirtualItems();
  const above = shown[0]?.start ?? 0;
  const below = rows.getTotalSize() - (shown.at(-1)?.end ?? 0);
  const all = selected.size === sorted.length && sorted.length > 0;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <section ref={scroller} className={classes.scroll} tabIndex={0} aria-label="Models compared">
      <Table kind="list" className={classes.table} aria-rowcount={sorted.length + 1}>
        <thead>
          <tr>
            <th scope="col" className={classes.check}>
              <Checkbox
                size="xs"
                aria-label="Select all models"
                checked={all}
                indeterminate={selected.size > 0 && !all}
                onChange={() => compare.select(all ? [] : sorted.map(({ key }) => key))}
              />
            </th>
            <Heading by="name" sort={sort}>
              Model
            </Heading>
            {columns.map((key) => (
              <Heading key={key} by={key} sort={sort}>
                {titleWithUnit(quantityOf(key))}
              </Heading>
            ))}
            <th scope="col" className={classes.end}>
              <SaveMenu
                label="Save the table"
                name="lathe-comparison"
                csv={() => tableCsv(sorted, columns)}
                json={() => tableJson(sorted, columns)}
                markdown={() => tableMarkdown(sorted, columns)}
              />
            </th>
          </tr>
        </thead>
        <tbody>
          <tr aria-hidden="true" style={{ height: above }} />
          {shown.map(({ index }) => {
            const point = sorted[index];
            return (
              point && (
                <Row
                  key={point.key}
                  index={index}
                  point={point}
                  columns={columns}
                  color={colors.of(point.model.name)}
                  isSelected={selected.has(point.key)}
                  note={noteOf(front.has(point.key), reaching.has(point.key))}
                />
              )
            );
          })}
          <tr aria-hidden="true" style={{ height: below }} />
        </tbody>
      </Table>
    </section>
  );
}

const noteOf = (isFront: boolean, isReaching: boolean): string =>
  [...(isFront ? ['front'] : []), ...(isReaching ? ['reaches the goals'] : [])].join(', ');

function Heading(props: { by: Sort['by']; sort: Sort; children: string }) {
  const { compare } = useStudio();
  const { by, sort, children } = props;
  return (
    <SortHead
      rising={sort.by === by ? !sort.descending : null}
      isNumber={by !== 'name'}
      onSort={() => compare.sortBy(by)}
    >
      {children}
    </SortHead>
  );
}

interface RowProps {
  index: number;
  point: Point;
  columns: readonly QuantityKey[];
  color: string;
  isSelected: boolean;
  note: string;
}

/** Drawn anew only when something of its own changes: there may be hundreds. */
const Row = memo(function Row({ index, point, columns, color, isSelected, note }: RowProps) {
  const { compare } = useStudio();
  const { key, model, values } = point;
  return (
    <tr aria-rowindex={index + 2} aria-selected={isSelected} style={{ height: rowHeight }}>
      <td className={classes.check}>
        <Checkbox
          size="xs"
          aria-label={`Select ${model.name}`}
          checked={isSelected}
          onChange={() => compare.toggle(key)}
        />
      </td>
      <th scope="row" title={model.name}>
        <span className={classes.swatch} style={{ background: color }} aria-hidden="true" />
        <span className={classes.name}>{model.name}</span>
        {note !== '' && <span className={classes.note}>{note}</span>}
      </th>
      {columns.map((column) => {
        const reading = values.get(column);
        if (!reading)
          return (
            <td key={column} data-number>
              <span className={classes.none} aria-label="not measured">
                –
              </span>
            </td>
          );
        const details = [
          spreadText(reading),
          ...(reading.n === null ? [] : [`n ${reading.n.toLocaleString('en')}`]),
        ].filter((text) => text !== null);
        return (
          <td
            key={column}
            data-number
            title={[differenceText(reading), reading.record?.protocol].filter(Boolean).join('\n')}
          >
            {formatNumber(reading.value)}
            {details.length > 0 && <span className={classes.spread}>{details.join(' · ')}</span>}
          </td>
        );
      })}
      <td className={classes.end} aria-label="Actions">
        <Menu position="bottom-end" shadow="md">
          <Menu.Target>
            <ActionIcon aria-label={`What to do with ${model.name}`}>
              <IconDots size={16} stroke={1.5} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <PointActions point={point} />
          </Menu.Dropdown>
        </Menu>
      </td>
    </tr>
  );
});
