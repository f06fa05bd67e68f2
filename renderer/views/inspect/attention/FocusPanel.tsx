import { CloseButton, SegmentedControl } from '@mantine/core';
import type { Square } from '../../../../preload/contract/index.ts';
import { figure } from '../../../charts/cells.ts';
import type { Focus } from '../../../charts/heatmap.ts';
import classes from './FocusPanel.module.css';

interface FocusPanelProps {
  focus: Focus;
  square: Square;
  labels: readonly string[];
  /** Whether values are shares, which a bar can show. */
  isShare: boolean;
  onFocus: (focus: Focus | null) => void;
}

const shown = 24;

/** What one token looks at, or which tokens look at it: the strongest first. */
export function FocusPanel({ focus, square, labels, isShare, onFocus }: FocusPanelProps) {
  const { axis, index } = focus;
  const { tokens, data } = square;
  const values = Array.from({ length: tokens }, (_, other) => ({
    other,
    value: data[axis === 'row' ? index * tokens + other : other * tokens + index] ?? 0,
  }))
    .filter(({ value }) => Number.isFinite(value) && (value !== 0 || !isShare))
    .toSorted((a, b) => b.value - a.value)
    .slice(0, shown);
  return (
    <aside className={classes.focus} aria-label="One token">
      <div style={{ display: 'flex', gap: 8 }}>
        <SegmentedControl
          aria-label="Direction"
          value={axis}
          onChange={(next) => onFocus({ axis: next, index })}
          data={[
            { value: 'row', label: 'looks at' },
            { value: 'column', label: 'seen by' },
          ]}
        />
        <CloseButton size="sm" aria-label="Show all rows" onClick={() => onFocus(null)} />
      </div>
      <h3 className="mono">
        {index} {labels[index]}
      </h3>
      <ol>
        {values.map(({ other, value }) => (
          <li key={other}>
            <span>
              {other} {labels[other]}
            </span>
            <span>{isShare ? value.toFixed(3) : figure(value)}</span>
            {isShare && (
              <span className={classes.weight} aria-hidden="true">
                <span style={{ width: `${value * 100}%` }} />
              </span>
            )}
          </li>
        ))}
      </ol>
    </aside>
  );
}
