import { Button, Tooltip } from '@mantine/core';
import { IconPlayerPlayFilled, IconPlayerStopFilled } from '@tabler/icons-react';
import { requestOf } from '../../state/draft.ts';
import { isRunning } from '../../state/run.ts';
import { keyNames } from '../../state/shortcuts.ts';
import { statisticsOf } from '../../state/statistics.ts';
import { formatCount, formatDuration, formatRate } from '../../ui/format.ts';
import { usePart, useSlowly, useStudio } from '../studioContext.ts';
import classes from './RunBar.module.css';

/** Run and stop, and the figures of the run. */
export function RunBar() {
  const studio = useStudio();
  const { draft, generation, connection, host } = studio;
  const running = usePart(generation.store, isRunning);
  const ready = usePart(draft.store, (state) => requestOf(state) !== null);
  const connected = usePart(connection, (state) => state.connection.kind === 'ready');
  return (
    <div className={classes.bar}>
      <Tooltip
        label={`Run the prompt (${keyNames({ key: 'Enter', mod: true }, host.mac).join(' ')})`}
      >
        <Button
          leftSection={<IconPlayerPlayFilled size={14} aria-hidden="true" />}
          disabled={!ready || !connected || running}
          onClick={() => void studio.run()}
        >
          Run
        </Button>
      </Tooltip>
      <Tooltip label="Stop (Esc)">
        <Button
          variant="default"
          leftSection={<IconPlayerStopFilled size={14} aria-hidden="true" />}
          disabled={!running}
          onClick={() => generation.stop()}
        >
          Stop
        </Button>
      </Tooltip>
      <Statistics />
    </div>
  );
}

function Statistics() {
  const { generation } = useStudio();
  const state = useSlowly(generation.store);
  if (state.kind === 'idle') return null;
  const { ttftMs, tokensPerSecond, used, contextLength, seed, loadMs, newTokens } = statisticsOf(
    state.run,
  );
  return (
    <dl className={classes.figures} aria-label="Statistics of the run">
      <Figure
        name="First token"
        explanation="Time to first token: prefill and the first step, with the model loaded."
        value={ttftMs === null ? null : formatDuration(ttftMs)}
      />
      <Figure
        name="Speed"
        explanation={`Tokens per second, the mean over ${formatCount(Math.max(0, newTokens - 1))} tokens after the first.`}
        value={tokensPerSecond === null ? null : `${formatRate(tokensPerSecond)} tok/s`}
      />
      <Figure name="New" explanation="Tokens generated." value={`${formatCount(newTokens)} tok`} />
      <Figure
        name="Context"
        explanation="Tokens of the context in use: prompt and generated ones."
        value={
          used === null || contextLength === null
            ? null
            : `${formatCount(used)} / ${formatCount(contextLength)}`
        }
        fraction={used === null || contextLength === null ? null : used / contextLength}
      />
      <Figure
        name="Seed"
        explanation="The seed that was used."
        value={seed === null ? null : String(seed)}
      />
      <Figure
        name="Load"
        explanation="Time to load the model before this run."
        value={loadMs === null ? null : loadMs === 0 ? 'was loaded' : formatDuration(loadMs)}
      />
    </dl>
  );
}

interface FigureProps {
  name: string;
  explanation: string;
  value: string | null;
  /** Drawn as a meter below the value. */
  fraction?: number | null;
}

/** One measured value; absent while it was not measured. */
function Figure({ name, explanation, value, fraction = null }: FigureProps) {
  return (
    <Tooltip label={explanation}>
      <div className={classes.figure}>
        <dt>{name}</dt>
        <dd>
          {value ?? '–'}
          {fraction !== null && (
            <span className={classes.meter} data-full={fraction > 0.9 || undefined}>
              <span style={{ width: `${Math.min(100, fraction * 100)}%` }} />
            </span>
          )}
        </dd>
      </div>
    </Tooltip>
  );
}
