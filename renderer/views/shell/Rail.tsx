import { Tooltip } from '@mantine/core';
import { spotlight } from '@mantine/spotlight';
import {
  IconBooks,
  IconChartDots,
  IconCommand,
  IconEye,
  IconGauge,
  IconPlayerPlay,
  IconSettings,
  IconStack2,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import { paletteShortcut, viewTitles } from '../../state/commands.ts';
import type { ViewName } from '../../state/navigation.ts';
import { keyNames } from '../../state/shortcuts.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Rail.module.css';

const icons: Readonly<Record<ViewName, ComponentType<{ size: number; stroke: number }>>> = {
  library: IconBooks,
  playground: IconPlayerPlay,
  inspect: IconEye,
  compress: IconStack2,
  compare: IconChartDots,
  bench: IconGauge,
  settings: IconSettings,
};

/** The views, one below the other; settings and the palette stand at the foot. */
export function Rail() {
  const { host } = useStudio();
  return (
    <nav className={classes.rail} aria-label="Views">
      <RailLink view="library" />
      <RailLink view="playground" />
      <RailLink view="inspect" />
      <RailLink view="compress" />
      <RailLink view="compare" />
      <RailLink view="bench" />
      <Tooltip
        label={`Find a command (${keyNames(paletteShortcut, host.mac).join(' ')})`}
        position="right"
      >
        <button type="button" className={classes.link} data-foot onClick={() => spotlight.open()}>
          <IconCommand size={20} stroke={1.5} aria-hidden="true" />
          Commands
        </button>
      </Tooltip>
      <RailLink view="settings" />
    </nav>
  );
}

function RailLink({ view }: { view: ViewName }) {
  const { navigation } = useStudio();
  const current = usePart(navigation.store, (state) => state.view);
  const Icon = icons[view];
  return (
    <a
      href={`#${view}`}
      className={classes.link}
      aria-current={current === view ? 'page' : undefined}
      onClick={(event) => {
        event.preventDefault();
        navigation.go(view);
      }}
    >
      <Icon size={20} stroke={1.5} aria-hidden="true" />
      {viewTitles[view]}
    </a>
  );
}
