import { Button } from '@mantine/core';
import type { LayerReport } from '../../../preload/contract/index.ts';
import { formatBytes, formatDuration, formatShare } from '../../ui/format.ts';
import { saveText } from '../../ui/save.ts';
import { fileName, layersCsv } from './layerRows.ts';
import { Table } from '../../ui/Table.tsx';
import classes from './LayerTable.module.css';

interface LayerTableProps {
  /** Names the saved files. */
  name: string;
  layers: readonly LayerReport[];
}

/** The same values as in the chart, as a table to read, copy and save. */
export function LayerTable({ name, layers }: LayerTableProps) {
  if (layers.length === 0) return <p className={classes.none}>No layer has been reported yet.</p>;
  const file = fileName(name);
  const save = (): void => saveText(`${file}-layers.csv`, 'text/csv', layersCsv(layers));
  return (
    <>
      <div className={classes.tools}>
        <Button size="xs" variant="default" onClick={save}>
          Save CSV
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() =>
            saveText(`${file}-layers.json`, 'application/json', JSON.stringify(layers, null, 2))
          }
        >
          Save JSON
        </Button>
      </div>
      <Table kind="figures" className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col" data-number>
              Before
            </th>
            <th scope="col" data-number>
              After
            </th>
            <th scope="col" data-number>
              Bits
            </th>
            <th scope="col" data-number>
              Size
            </th>
            <th scope="col" data-number>
              Time
            </th>
            <th scope="col">Note</th>
          </tr>
        </thead>
        <tbody>
          {layers.map((each) => (
            <tr key={each.layer}>
              <td className="mono">{each.layer}</td>
              <td data-number>{percent(each.errorBefore)}</td>
              <td data-number>{percent(each.errorAfter)}</td>
              <td data-number>{each.bits.toFixed(2)}</td>
              <td data-number>{formatBytes(each.bytes)}</td>
              <td data-number>{formatDuration(each.seconds * 1000)}</td>
              <td>{each.note}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </>
  );
}

const percent = (share: number | null): string => (share === null ? '–' : formatShare(share));
