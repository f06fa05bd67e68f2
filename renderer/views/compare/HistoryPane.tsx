import { ActionIcon, Select, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useCallback, useMemo, useState } from 'react';
import { drawHistory, type HistoryPanel } from '../../charts/history.ts';
import {
  visibleBenches,
  visibleEvaluations,
  type MeasurementId,
} from '../../state/measurements.ts';
import { formatValue, quantityOf, titleWithUnit } from '../../state/quantities.ts';
import { historyOf, type HistoryEntry, type QuantityHistory } from '../../state/recordHistory.ts';
import { shortData } from '../../state/series.ts';
import { Chart } from '../../ui/Chart.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { formatMoment } from '../../ui/format.ts';
import { offerUndo } from '../../ui/notify.tsx';
import { toCsv } from '../../ui/save.ts';
import { Table } from '../../ui/Table.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { useComparison } from './comparison.ts';
import classes from './HistoryPane.module.css';
import { spreadText } from './words.ts';

/** Everything that was ever measured of one model, and what was different each time. */
export function HistoryPane() {
  const { compare, measurements, colors } = useStudio();
  const { points } = useComparison();
  const selected = usePart(compare.store, (state) => state.selected);
  const state = usePart(measurements.store, (whole) => whole);
  const [own, setOwn] = useState<string | null>(null);
  const measured = points.filter(({ values }) => values.size > 1);
  const [first] = selected;
  const point =
    points.find(({ key }) => key === own) ??
    points.find(({ key }) => key === first) ??
    measured[0] ??
    points[0];
  const evaluations = visibleEvaluations(state);
  const benches = visibleBenches(state);
  const history = useMemo(() => {
    const isOf = (record: { readonly model: string; readonly modelSha256: string }): boolean =>
      record.model === point?.model.name && record.modelSha256 === point.model.sha256;
    const all = historyOf({
      evaluations: evaluations.filter(isOf),
      benches: benches.filter(isOf),
    });
    // What was measured most often has most to tell.
    return all.toSorted((a, b) => b.entries.length - a.entries.length);
  }, [evaluations, benches, point]);
  const name = point?.model.name ?? '';
  const panels = useMemo(
    () => history.map((each): HistoryPanel => panelOf(each, colors.of(name))),
    [history, colors, name],
  );
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawHistory(svg, panels, width),
    [panels],
  );
  return (
    <div className={classes.pane}>
      <div className={classes.chart}>
        <Select
          size="xs"
          aria-label="Model whose history is shown"
          className={classes.picker}
          value={point?.key ?? null}
          data={points.map(({ key, model }) => ({ value: key, label: model.name }))}
          searchable
          onChange={setOwn}
        />
        {panels.length > 0 && (
          <p className={classes.note}>
            A flag marks other versions, threads or hardware than before; it is filled where the
            value moved beyond its interval.
          </p>
        )}
        {panels.length > 0 ? (
          <Chart
            label={`${panels.length} quantities of ${name} over time`}
            draw={draw}
            save={{
              name: 'lathe-history',
              csv: () => csvOf(name, history),
              json: () => jsonOf(history),
            }}
          />
        ) : (
          <Empty>
            Measure this model more than once to see whether its figures stay, and what changed when
            they did not.
          </Empty>
        )}
      </div>
      {history.length > 0 && <Entries history={history} />}
    </div>
  );
}

function panelOf({ key, label, entries }: QuantityHistory, color: string): HistoryPanel {
  return {
    title: `${titleWithUnit(quantityOf(key))}, ${shortData(label)}`,
    color,
    marks: entries.map(({ at, reading, changes, moved }) => ({
      at,
      value: reading.value,
      range: reading.ci95,
      flag: changes.length === 0 ? 'none' : moved === true ? 'moved' : 'changed',
      note: changes.join(', '),
    })),
  };
}

/** The same as a table, newest first, where a measurement can be thrown away. */
function Entries({ history }: { history: readonly QuantityHistory[] }) {
  const rows = history
    .flatMap((each) => each.entries.map((entry) => ({ ...each, entry })))
    .toSorted((a, b) => b.entry.at - a.entry.at);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <section className={classes.list} tabIndex={0} aria-label="Measurements">
      <Table kind="list" className={classes.entries}>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Quantity</th>
            <th scope="col">Value</th>
            <th scope="col">Changed since before</th>
            <th scope="col" aria-label="Delete" />
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, label, entry }) => (
            <tr key={`${key} ${label} ${entry.at} ${entry.reading.record?.id}`}>
              <td title={new Date(entry.at).toLocaleString('en-GB')}>{formatMoment(entry.at)}</td>
              <td>{quantityOf(key).title}</td>
              <td>
                {formatValue(key, entry.reading.value)}
                <span className={classes.spread}>{spreadText(entry.reading)}</span>
              </td>
              <td
                className={classes.changes}
                data-moved={entry.moved === true || undefined}
                title={changesText(entry)}
              >
                {changesText(entry)}
              </td>
              <td>
                <Remove entry={entry} title={quantityOf(key).title} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </section>
  );
}

function changesText({ changes, moved }: HistoryEntry): string {
  const movement =
    moved === true ? 'moved beyond its interval' : moved === false ? 'within its interval' : '';
  return [...changes, ...(movement === '' ? [] : [movement])].join(', ');
}

function Remove({ entry, title }: { entry: HistoryEntry; title: string }) {
  const { measurements } = useStudio();
  const { record } = entry.reading;
  if (!record) return null;
  const measurement: MeasurementId = {
    kind: 'metric' in record ? 'evaluation' : 'bench',
    id: record.id,
  };
  const remove = (): void => {
    measurements.remove(measurement);
    offerUndo({
      message: `${measurement.kind === 'bench' ? 'Measurement of speed' : title} deleted`,
      undo: () => measurements.undo(measurement),
      settle: () => void measurements.settle(measurement),
    });
  };
  const label =
    measurement.kind === 'bench' ? 'Delete this measurement of speed' : 'Delete this measurement';
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={`${label}: ${title}`} onClick={remove}>
        <IconTrash size={14} stroke={1.5} />
      </ActionIcon>
    </Tooltip>
  );
}

/** Without the records themselves, which hold every sample. */
const jsonOf = (history: readonly QuantityHistory[]): unknown =>
  history.map(({ key, label, entries }) => ({
    key,
    label,
    entries: entries.map(({ at, reading: { value, ci95, n }, changes, moved }) => ({
      at,
      value,
      ci95,
      n,
      changes,
      moved,
    })),
  }));

const csvOf = (model: string, history: readonly QuantityHistory[]): string =>
  toCsv(
    ['model', 'quantity', 'measured_with', 'at', 'value', 'low', 'high', 'n', 'changes', 'moved'],
    history.flatMap(({ key, label, entries }) =>
      entries.map(({ at, reading, changes, moved }) => [
        model,
        key,
        label,
        new Date(at).toISOString(),
        reading.value,
        reading.ci95?.[0] ?? null,
        reading.ci95?.[1] ?? null,
        reading.n,
        changes.join('; '),
        moved === null ? null : String(moved),
      ]),
    ),
  );
