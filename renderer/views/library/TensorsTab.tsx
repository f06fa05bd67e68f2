import { Button, TextInput } from '@mantine/core';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, useState } from 'react';
import type { TensorFacts } from '../../../preload/contract/index.ts';
import { Empty } from '../../ui/Empty.tsx';
import { formatBytes, formatCount } from '../../ui/format.ts';
import { saveText, toCsv } from '../../ui/save.ts';
import { shortName } from '../modelNames.ts';
import { Table } from '../../ui/Table.tsx';
import { useStudio } from '../studioContext.ts';
import classes from './TensorsTab.module.css';
import { Loaded } from '../Loaded.tsx';

/** All tensors, searchable by name, type or shape. */
export function TensorsTab({ model, name }: { model: string; name: string }) {
  const { models } = useStudio();
  const query = useQuery({ queryKey: ['tensors', model], queryFn: () => models.tensors(model) });
  const [search, setSearch] = useState('');
  return (
    <Loaded query={query}>
      {(tensors) => {
        const shown = tensors.filter((tensor) => textOf(tensor).includes(search.toLowerCase()));
        return (
          <>
            <div className={classes.tools}>
              <TextInput
                size="xs"
                aria-label="Search tensors"
                placeholder="Name, type or shape"
                leftSection={<IconSearch size={14} stroke={1.5} />}
                value={search}
                onChange={(event) => setSearch(event.currentTarget.value)}
              />
              <span>
                {shown.length === tensors.length
                  ? `${formatCount(tensors.length)} tensors`
                  : `${formatCount(shown.length)} of ${formatCount(tensors.length)}`}
              </span>
              <Button
                size="xs"
                variant="default"
                leftSection={<IconDownload size={14} aria-hidden="true" />}
                onClick={() => saveText(`${shortName(name)}-tensors.csv`, 'text/csv', csvOf(shown))}
              >
                CSV
              </Button>
            </div>
            {shown.length > 0 ? (
              <TensorList tensors={shown} />
            ) : (
              <Empty
                action={
                  <Button size="xs" variant="default" onClick={() => setSearch('')}>
                    Show all tensors
                  </Button>
                }
              >
                No tensor has “{search}” in its name, type or shape.
              </Empty>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

const shapeOf = ({ shape }: TensorFacts): string => shape.join(' × ') || 'scalar';

const textOf = (tensor: TensorFacts): string =>
  `${tensor.name} ${tensor.dataType} ${shapeOf(tensor)}`.toLowerCase();

const csvOf = (tensors: readonly TensorFacts[]): string =>
  toCsv(
    ['name', 'type', 'shape', 'bytes', 'file'],
    tensors.map((tensor) => [
      tensor.name,
      tensor.dataType,
      tensor.shape.join('x'),
      tensor.bytes,
      tensor.file,
    ]),
  );

const rowHeight = 32;

function TensorList({ tensors }: { tensors: readonly TensorFacts[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  // Its result changes without its identity; nothing here is memoised on it.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count: tensors.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const shown = rows.getVirtualItems();
  const above = shown[0]?.start ?? 0;
  const below = rows.getTotalSize() - (shown.at(-1)?.end ?? 0);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <section ref={scroller} className={classes.scroll} tabIndex={0} aria-label="Tensors">
      <Table kind="list" className={classes.tensors} aria-rowcount={tensors.length + 1}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col">Shape</th>
            <th scope="col" data-number>
              Size
            </th>
          </tr>
        </thead>
        <tbody>
          <tr aria-hidden="true" style={{ height: above }} />
          {shown.map(({ index }) => {
            const tensor = tensors[index];
            return (
              tensor && (
                <tr key={tensor.name} aria-rowindex={index + 2} style={{ height: rowHeight }}>
                  <td className="mono" title={`${tensor.name} in ${tensor.file}`}>
                    {tensor.name}
                  </td>
                  <td>{tensor.dataType}</td>
                  <td>{shapeOf(tensor)}</td>
                  <td data-number>{formatBytes(tensor.bytes)}</td>
                </tr>
              )
            );
          })}
          <tr aria-hidden="true" style={{ height: below }} />
        </tbody>
      </Table>
    </section>
  );
}
