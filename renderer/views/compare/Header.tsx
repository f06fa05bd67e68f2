import { Button, Select } from '@mantine/core';
import { IconChartDots } from '@tabler/icons-react';
import {
  isQuantityKey,
  quantities,
  titleWithUnit,
  type QuantityKey,
} from '../../state/quantities.ts';
import { formatCount } from '../../ui/format.ts';
import { ViewHead } from '../../ui/ViewHead.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Compare.module.css';
import { useComparison } from './comparison.ts';

/** What the axes show, and the button that measures. */
export function Header() {
  const { compare, connection } = useStudio();
  const { complete, points } = useComparison();
  const x = usePart(compare.store, (state) => state.x);
  const y = usePart(compare.store, (state) => state.y);
  const isConnected = usePart(connection, (state) => state.connection.kind === 'ready');
  return (
    <ViewHead
      title="Compare"
      facts={[`${formatCount(complete.length)} of ${formatCount(points.length)} models have both`]}
      action={
        <Button
          leftSection={<IconChartDots size={16} stroke={1.5} aria-hidden="true" />}
          disabled={!isConnected || points.length === 0}
          onClick={() => compare.openMeasure([...compare.store.getState().selected])}
        >
          Measure…
        </Button>
      }
    >
      <QuantityPicker
        label="Vertical axis"
        value={y}
        onChange={(key) => compare.change({ y: key })}
      />
      <span className={classes.against}>against</span>
      <QuantityPicker
        label="Horizontal axis"
        value={x}
        onChange={(key) => compare.change({ x: key })}
      />
    </ViewHead>
  );
}

interface QuantityPickerProps {
  label: string;
  value: QuantityKey;
  onChange: (key: QuantityKey) => void;
}

const groups = [...Map.groupBy(quantities, ({ group }) => group)].map(([group, members]) => ({
  group,
  items: members.map((quantity) => ({ value: quantity.key, label: titleWithUnit(quantity) })),
}));

/** Chooses what can be measured, by what kind it is of. */
export function QuantityPicker({ label, value, onChange }: QuantityPickerProps) {
  return (
    <Select
      aria-label={label}
      className={classes.picker}
      value={value}
      data={groups}
      searchable
      maxDropdownHeight={400}
      onChange={(key) => isQuantityKey(key) && onChange(key)}
    />
  );
}
