import { Button, Menu } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { Fragment } from 'react';
import { quantities } from '../../state/quantities.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { useComparison } from './comparison.ts';
import classes from './Lower.module.css';

/** Which quantities have a column, and an axis of their own. */
export function ColumnMenu() {
  const { compare } = useStudio();
  const { points } = useComparison();
  const columns = usePart(compare.store, (state) => state.columns);
  const measured = new Set(points.flatMap(({ values }) => [...values.keys()]));
  return (
    <Menu position="bottom-end" shadow="md" closeOnItemClick={false}>
      <Menu.Target>
        <Button size="xs" variant="subtle" className={classes.columns}>
          Columns
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={classes.menu}>
        {[...Map.groupBy(quantities, ({ group }) => group)].map(([group, members]) => (
          <Fragment key={group}>
            <Menu.Label>{group}</Menu.Label>
            {members.map(({ key, title }) => {
              const isShown = columns.includes(key);
              return (
                <Menu.Item
                  key={key}
                  role="menuitemcheckbox"
                  aria-checked={isShown}
                  disabled={isShown && columns.length === 1}
                  leftSection={<IconCheck size={14} style={{ opacity: isShown ? 1 : 0 }} />}
                  rightSection={
                    measured.has(key) ? null : <span className={classes.unmeasured}>none yet</span>
                  }
                  onClick={() =>
                    compare.change({
                      columns: quantities
                        .map((quantity) => quantity.key)
                        .filter((other) => (other === key ? !isShown : columns.includes(other))),
                    })
                  }
                >
                  {title}
                </Menu.Item>
              );
            })}
          </Fragment>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
