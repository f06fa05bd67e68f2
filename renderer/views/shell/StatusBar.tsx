import type { RunnerState } from '../../../preload/contract/index.ts';
import type { ConnectionState } from '../../state/connection.ts';
import { deviceName } from '../../state/devices.ts';
import { formatBytes } from '../../ui/format.ts';
import { Dot, type DotKind } from '../../ui/Dot.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { shortName } from '../modelNames.ts';
import classes from './StatusBar.module.css';

const connectionDot: Readonly<Record<ConnectionState['kind'], DotKind>> = {
  connecting: 'busy',
  ready: 'good',
  lost: 'bad',
};
const connectionText: Readonly<Record<ConnectionState['kind'], string>> = {
  connecting: 'Engine starting',
  ready: 'Engine ready',
  lost: 'Engine lost',
};

/** The engine, the models it holds, and what it runs on. */
export function StatusBar() {
  const { connection, runners, settings } = useStudio();
  const { kind } = usePart(connection, (state) => state.connection);
  const held = usePart(runners.store, (state) => state.runners);
  const info = usePart(settings.store, (state) => state.info);
  return (
    <footer className={classes.bar}>
      <span className={classes.item}>
        <Dot kind={connectionDot[kind]} />
        <span>{connectionText[kind]}</span>
      </span>
      {held.map((runner) => (
        <span key={runner.model} className={classes.item} title={runner.model}>
          <Dot kind={runnerDot(runner)} />
          <span>
            {shortName(runner.model)} {runnerText(runner)}
          </span>
        </span>
      ))}
      {info && (
        <span className={classes.end}>
          <span>{deviceName(info.device)}</span>
          <span>
            {info.threads} {info.threads === 1 ? 'thread' : 'threads'}
          </span>
          <span>Lathe {info.version}</span>
        </span>
      )}
    </footer>
  );
}

function runnerDot(runner: RunnerState): DotKind {
  switch (runner.kind) {
    case 'loading':
    case 'busy':
      return 'busy';
    case 'ready':
      return 'good';
    case 'dead':
      return 'bad';
    case 'unloaded':
      return 'off';
  }
}

function runnerText(runner: RunnerState): string {
  switch (runner.kind) {
    case 'loading':
      return 'loading';
    case 'ready':
      return `ready · ${formatBytes(runner.rssBytes)}`;
    case 'busy':
      return `busy · ${formatBytes(runner.rssBytes)}${runner.queued > 0 ? ` · ${runner.queued} waiting` : ''}`;
    case 'dead':
      return `ended (${runner.code})`;
    case 'unloaded':
      return 'unloaded';
  }
}
