import { Button, Tabs } from '@mantine/core';
import type { ComponentType } from 'react';
import { compareTabs, type CompareTab } from '../../state/compare.ts';
import { formatCount } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { ColumnMenu } from './ColumnMenu.tsx';
import { HistoryPane } from './HistoryPane.tsx';
import classes from './Lower.module.css';
import { ParallelPane } from './ParallelPane.tsx';
import { PointTable } from './PointTable.tsx';
import { TextPane } from './TextPane.tsx';

const tabs: Readonly<Record<CompareTab, { title: string; Panel: ComponentType }>> = {
  table: { title: 'Table', Panel: PointTable },
  parallel: { title: 'Parallel axes', Panel: ParallelPane },
  text: { title: 'Along a text', Panel: TextPane },
  history: { title: 'History', Panel: HistoryPane },
};

/** The same models in other ways; what is selected in one is selected in all. */
export function Lower() {
  const { compare } = useStudio();
  const tab = usePart(compare.store, (state) => state.tab);
  const selected = usePart(compare.store, (state) => state.selected);
  return (
    <Tabs
      value={tab}
      keepMounted={false}
      className={classes.lower}
      onChange={(next) => {
        const known = compareTabs.find((each) => each === next);
        if (known) compare.change({ tab: known });
      }}
    >
      <div className={classes.bar}>
        <Tabs.List className={classes.tabs}>
          {compareTabs.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {tabs[each].title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {selected.size > 0 && (
          <span className={classes.selection}>
            {formatCount(selected.size)} selected
            <Button size="xs" variant="subtle" onClick={() => compare.openMeasure([...selected])}>
              Measure…
            </Button>
            <Button size="xs" variant="subtle" onClick={() => compare.select([])}>
              Clear
            </Button>
          </span>
        )}
        {(tab === 'table' || tab === 'parallel') && <ColumnMenu />}
      </div>
      {compareTabs.map((each) => {
        const { Panel } = tabs[each];
        return (
          <Tabs.Panel key={each} value={each} className={classes.panel}>
            <Panel />
          </Tabs.Panel>
        );
      })}
    </Tabs>
  );
}
