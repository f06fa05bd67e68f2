import { Button } from '@mantine/core';
import type { LayerReport } from '../../../preload/contract/index.ts';
import { formatBytes, formatDuration, formatShare } from '../../ui/format.ts';
import { saveText } from '../../ui/save.ts';
import { fileName, layersCsv } from './layerRows.ts';
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
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col">Bits</th>
            <th scope="col">Size</th>
            <th scope="col">Time</th>
            <th scope="col">Note</th>
          </tr>
        </thead>
        <tbody>
          {layers.map((each) => (
            <tr key={each.layer}>
              <td className="mono">{each.layer}</td>
              <td>{percent(each.errorBefore)}</td>
              <td>{percent(each.errorAfter)}</td>
              <td>{each.bits.toFixed(2)}</td>
              <td>{formatBytes(each.bytes)}</td>
              <td>{formatDuration(each.seconds * 1000)}</td>
              <td>{each.note}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const percent = (share: number | null): string => (share === null ? '–' : formatShare(share));
