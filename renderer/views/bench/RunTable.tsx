import {
  ActionIcon,
  Button,
  Checkbox,
  SegmentedControl,
  Tooltip,
  VisuallyHidden,
} from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { BenchRecord } from '../../../preload/contract/index.ts';
import { mostShown } from '../../state/bench.ts';
import { driftOf, isDrift, type BenchDrift } from '../../state/benchDrift.ts';
import { modelKey } from '../../state/models.ts';
import { formatBytes, formatCount, formatMoment, formatRate } from '../../ui/format.ts';
import { offerUndo } from '../../ui/notify.tsx';
import { shortName } from '../modelNames.ts';
import { Table } from '../../ui/Table.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { formatChange, formatMs } from './benchWords.ts';
import classes from './Runs.module.css';
import type { Shown } from './shown.ts';

interface RunTableProps {
  records: readonly BenchRecord[];
  shown: readonly Shown[];
}

/** A table of many rows takes long to appear; so many are added at a time. */
const atOnce = 40;

/** Every measurement with its date, and what became of the figures since the one before it. */
export function RunTable({ records, shown }: RunTableProps) {
  const { bench, models } = useStudio();
  const chosen = usePart(bench.store, ({ setup }) => setup.models);
  const known = usePart(models.store, (state) => state.models);
  const [isNarrow, setNarrow] = useState(false);
  const [count, setCount] = useState(atOnce);
  const listed = useMemo(() => {
    if (!isNarrow) return records;
    const hashes = new Set(
      known?.filter((model) => chosen.includes(modelKey(model))).map(({ sha256 }) => sha256),
    );
    return records.filter(({ modelSha256 }) => hashes.has(modelSha256));
  }, [records, isNarrow, chosen, known]);
  const rows = useMemo(
    () => listed.slice(0, count).map((record) => ({ record, drift: driftOf(record, records) })),
    [listed, count, records],
  );
  const ids = shown.map(({ record }) => record.id);
  return (
    <section aria-label="Measurements" className={classes.runs}>
      <div className={classes.bar}>
        <h2>Measurements</h2>
        <span className={classes.dim}>
          {formatCount(listed.length)}
          {isNarrow && ` of ${formatCount(records.length)}`}
        </span>
        <SegmentedControl
          aria-label="Which measurements are listed"
          value={isNarrow ? 'chosen' : 'all'}
          data={[
            { value: 'all', label: 'All' },
            { value: 'chosen', label: 'Of the models in the set-up' },
          ]}
          onChange={(value) => setNarrow(value === 'chosen')}
        />
      </div>
      <div className={classes.frame}>
        <Table kind="list" className={classes.table} aria-label="Measurements">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Measured</th>
              <th scope="col">Set-up</th>
              <th scope="col" data-number>
                First token
              </th>
              <th scope="col" data-number>
                Decode
              </th>
              <th scope="col" data-number data-wide>
                Peak memory
              </th>
              <th scope="col">Drift</th>
              <th scope="col">
                <VisuallyHidden>Remove</VisuallyHidden>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ record, drift }) => (
              <Row
                key={record.id}
                record={record}
                drift={drift}
                shown={ids}
                color={shown.find((each) => each.record.id === record.id)?.color}
              />
            ))}
          </tbody>
        </Table>
        {listed.length > count && (
          <Button size="xs" variant="subtle" onClick={() => setCount(count + atOnce)}>
            Show {formatCount(Math.min(atOnce, listed.length - count))} more
          </Button>
        )}
      </div>
    </section>
  );
}

interface RowProps {
  record: BenchRecord;
  drift: BenchDrift | null;
  shown: readonly number[];
  /** In the pictures, where it is shown. */
  color: string | undefined;
}

function Row({ record, drift, shown, color }: RowProps) {
  const { bench, colors, measurements } = useStudio();
  const { id, model, measuredAt, request, ttft, decode, peakRssBytes } = record;
  const name = shortName(model);
  const isShown = shown.includes(id);
  const measured = formatMoment(measuredAt);
  const measurement = { kind: 'bench', id } as const;
  const remove = (): void => {
    measurements.remove(measurement);
    offerUndo({
      message: `Measurement of ${model} removed`,
      undo: () => measurements.undo(measurement),
      settle: () => void measurements.settle(measurement),
    });
  };
  return (
    <tr aria-selected={isShown}>
      <td>
        <span className={classes.name}>
          <Checkbox
            size="xs"
            aria-label={`Show ${model}, ${measured}`}
            title={`Up to ${mostShown} are shown beside each other`}
            checked={isShown}
            color={color ?? colors.of(model)}
            onChange={() => bench.toggle(id, shown)}
          />
          <button
            type="button"
            aria-label={name}
            title={`Show ${model} alone`}
            onClick={() => bench.show(id)}
          >
            <span>{name.slice(0, name.indexOf('/') + 1)}</span>
            <span>{name.slice(name.indexOf('/') + 1)}</span>
          </button>
        </span>
      </td>
      <td>{measured}</td>
      <td>
        {formatCount(request.promptTokens)} + {formatCount(request.newTokens)}
        {request.batch > 1 && `, batch ${request.batch}`} × {formatCount(request.runs)}
      </td>
      <td data-number>{formatMs(ttft.p50)}</td>
      <td data-number>{formatRate(decode.tokensPerSecond)} tok/s</td>
      <td data-number data-wide>
        {formatBytes(peakRssBytes)}
      </td>
      <td>
        <Drift drift={drift} />
      </td>
      <td>
        <Tooltip label="Remove this measurement">
          <ActionIcon aria-label={`Remove ${model}, ${measured}`} onClick={remove}>
            <IconTrash size={14} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
      </td>
    </tr>
  );
}

function Drift({ drift }: { drift: BenchDrift | null }) {
  if (!drift) return <span className={classes.dim}>first of its kind</span>;
  const change = formatChange(drift.ratio, 'slower', 'faster') ?? 'as fast';
  const text = [change, ...drift.changes].join(' · ');
  return (
    <span className={isDrift(drift) ? classes.drift : classes.dim} title={text}>
      {text}
    </span>
  );
}
