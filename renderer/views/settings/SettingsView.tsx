import { Button, NumberInput, SegmentedControl, Select } from '@mantine/core';
import type { ReactNode } from 'react';
import { deviceSchema } from '../../../preload/contract/index.ts';
import { deviceName } from '../../state/devices.ts';
import { Dot } from '../../ui/Dot.tsx';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { formatBytes } from '../../ui/format.ts';
import { tell } from '../../ui/notify.tsx';
import { ViewHead } from '../../ui/ViewHead.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './SettingsView.module.css';

const gigabyte = 1e9;

/** What holds for the whole studio. Every change is kept at once. */
export function SettingsView() {
  const { settings } = useStudio();
  const failure = usePart(settings.store, (state) => state.failure);
  return (
    <div className={classes.view}>
      <ViewHead title="Settings" />
      <div className={classes.body}>
        {failure && (
          <ErrorPanel
            failure={failure}
            steps={[{ label: 'Read the settings again', run: () => void settings.load() }]}
          />
        )}
        <Appearance />
        <Runtime />
        <Loaded />
        <About />
      </div>
    </div>
  );
}

function Appearance() {
  const { settings } = useStudio();
  const theme = usePart(settings.store, (state) => state.settings.theme);
  return (
    <Group title="Appearance">
      <Row name="Theme" explanation="System follows the setting of your desktop.">
        <SegmentedControl
          aria-label="Theme"
          value={theme}
          onChange={(next) => void settings.save({ theme: next })}
          data={[
            { value: 'system', label: 'System' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ]}
        />
      </Row>
    </Group>
  );
}

function Runtime() {
  const { settings } = useStudio();
  const { threads, device, memoryLimitBytes } = usePart(settings.store, (state) => state.settings);
  const info = usePart(settings.store, (state) => state.info);
  return (
    <Group title="Runtime">
      <Row
        name="Threads"
        explanation={`Used when a model is loaded next.${info ? ` This machine has ${info.cores} cores.` : ''}`}
      >
        <NumberInput
          aria-label="Threads"
          className={classes.control}
          placeholder={info ? `Automatic (${info.threads})` : 'Automatic'}
          value={threads ?? ''}
          min={1}
          max={256}
          allowDecimal={false}
          onChange={(next) => {
            if (next === '') void settings.save({ threads: null });
            else if (typeof next === 'number' && next >= 1) void settings.save({ threads: next });
          }}
        />
      </Row>
      <Row
        name="Device"
        explanation="Where models run. A device that is not there is an error at load."
      >
        <Select
          aria-label="Device"
          className={classes.control}
          value={device}
          data={deviceSchema.options.map((value) => ({ value, label: deviceName(value) }))}
          onChange={(next) => {
            if (next) void settings.save({ device: next });
          }}
        />
      </Row>
      <Row
        name="Memory limit"
        explanation="A model whose process grows beyond this is ended before the machine suffers."
      >
        <NumberInput
          aria-label="Memory limit in gigabytes"
          className={classes.control}
          placeholder={
            info ? `80 % of memory (${formatBytes(info.memoryBytes * 0.8)})` : '80 % of memory'
          }
          value={memoryLimitBytes === null ? '' : memoryLimitBytes / gigabyte}
          min={0.1}
          decimalScale={1}
          suffix=" GB"
          onChange={(next) => {
            if (next === '') void settings.save({ memoryLimitBytes: null });
            else if (typeof next === 'number' && next > 0)
              void settings.save({ memoryLimitBytes: Math.round(next * gigabyte) });
          }}
        />
      </Row>
    </Group>
  );
}

function Loaded() {
  const { runners, navigation } = useStudio();
  const held = usePart(runners.store, (state) => state.runners);
  return (
    <Group title="Loaded models">
      {held.length === 0 && (
        <Row name="None" explanation="A model is loaded when it is first run.">
          <Button variant="default" onClick={() => navigation.go('playground')}>
            Go to the playground
          </Button>
        </Row>
      )}
      {held.map((runner) => (
        <Row
          key={runner.model}
          name={runner.model}
          explanation={
            runner.kind === 'ready'
              ? `${formatBytes(runner.rssBytes)} in memory. ${runner.fastCache ? 'The cache is not copied per token.' : 'The cache is copied per token: this runtime build does not allow the fast way.'}`
              : runner.kind === 'dead'
                ? runner.message
                : runner.kind === 'busy'
                  ? `${formatBytes(runner.rssBytes)} in memory, at work`
                  : 'Loading'
          }
        >
          <span className={classes.runner}>
            <Dot
              kind={runner.kind === 'dead' ? 'bad' : runner.kind === 'ready' ? 'good' : 'busy'}
            />
            {runner.kind}
            <Button
              size="xs"
              variant="default"
              disabled={runner.kind !== 'ready'}
              onClick={() => void runners.unload(runner.model)}
            >
              Unload
            </Button>
          </span>
        </Row>
      ))}
    </Group>
  );
}

function About() {
  const { settings, host } = useStudio();
  const info = usePart(settings.store, (state) => state.info);
  if (!info) return null;
  const facts: readonly (readonly [string, string])[] = [
    ['Lathe', info.version],
    ['Node', info.node],
    ['onnxruntime', info.onnxruntime],
    ['Platform', info.platform],
    ['Processor', `${info.cpu}, ${info.cores} cores`],
    ['Memory', formatBytes(info.memoryBytes)],
    ['Home folder', info.home],
  ];
  const copy = async (): Promise<void> => {
    await host.copy(facts.map(([name, value]) => `${name}: ${value}`).join('\n'));
    tell('Versions copied');
  };
  return (
    <Group title="About">
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div className={classes.foot}>
        <Button variant="default" onClick={() => void copy()}>
          Copy
        </Button>
      </div>
    </Group>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className={classes.group}>
      <h2>{title}</h2>
      <div className={classes.card}>{children}</div>
    </section>
  );
}

interface RowProps {
  name: string;
  explanation: string;
  children: ReactNode;
}

function Row({ name, explanation, children }: RowProps) {
  return (
    <div className={classes.row}>
      <div>
        <div className={classes.name}>{name}</div>
        <div className={classes.explanation}>{explanation}</div>
      </div>
      {children}
    </div>
  );
}
