import { Button, Progress, Tooltip, useComputedColorScheme } from '@mantine/core';
import { IconArrowBarToDown, IconPlayerStopFilled, IconScan } from '@tabler/icons-react';
import { LazyTextEditor } from '../../editor/LazyTextEditor.tsx';
import { isCapturing, staleOf } from '../../state/inspect.ts';
import { keyNames } from '../../state/shortcuts.ts';
import { formatBytes, formatCount, formatDuration } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Inspect.module.css';
import { useTokenCount } from './useTokenCount.ts';

/** The text that is looked at, and the button that runs it. */
export function InspectPrompt() {
  return (
    <section aria-label="Prompt editor" className={classes.prompt}>
      <Bar />
      <div className={classes.editor}>
        <Editor />
      </div>
    </section>
  );
}

function Editor() {
  const { inspect } = useStudio();
  const prompt = usePart(inspect.store, (state) => state.prompt);
  const scheme = useComputedColorScheme('light');
  if (prompt.kind === 'completion') {
    return (
      <LazyTextEditor
        label="Prompt"
        placeholder="Write a text; the model reads it and shows what it computed."
        value={prompt.text}
        scheme={scheme}
        onChange={(text) => inspect.setPrompt({ kind: 'completion', text })}
      />
    );
  }
  return (
    <dl className={classes.chat}>
      {prompt.messages.map(({ role, content }, index) => (
        // Messages have no names of their own and do not move here.
        // oxlint-disable-next-line react/no-array-index-key
        <div key={index}>
          <dt>{role}</dt>
          <dd>{content}</dd>
        </div>
      ))}
    </dl>
  );
}

function Bar() {
  const studio = useStudio();
  const { inspect, connection, generation, host } = studio;
  const tab = usePart(inspect.store, (state) => state.tab);
  const running = usePart(inspect.store, isCapturing);
  const isChat = usePart(inspect.store, ({ prompt }) => prompt.kind === 'chat');
  const hasModel = usePart(inspect.store, ({ model }) => model !== null);
  const hasRun = usePart(generation.store, ({ kind }) => kind !== 'idle');
  const connected = usePart(connection, (state) => state.connection.kind === 'ready');
  const isCaptured = tab === 'attention' || tab === 'lens';
  const keys = keyNames({ key: 'Enter', mod: true }, host.mac).join(' ');
  return (
    <div className={classes.bar}>
      {isCaptured && !running && (
        <Tooltip label={`Run the prompt and keep what the model computed (${keys})`}>
          <Button
            leftSection={<IconScan size={14} aria-hidden="true" />}
            disabled={!hasModel || !connected}
            onClick={() => void inspect.capture()}
          >
            Capture
          </Button>
        </Tooltip>
      )}
      {isCaptured && running && (
        <Tooltip label="Stop (Esc)">
          <Button
            variant="default"
            leftSection={<IconPlayerStopFilled size={14} aria-hidden="true" />}
            onClick={() => inspect.cancel()}
          >
            Stop
          </Button>
        </Tooltip>
      )}
      <Tooltip label="Take the prompt of the playground with what the model wrote">
        <Button
          variant="default"
          leftSection={<IconArrowBarToDown size={14} aria-hidden="true" />}
          disabled={!hasRun}
          onClick={() => studio.inspectRun()}
        >
          From playground
        </Button>
      </Tooltip>
      {isChat && (
        <Button
          variant="subtle"
          onClick={() => inspect.setPrompt({ kind: 'completion', text: '' })}
        >
          Write a text instead
        </Button>
      )}
      <TokenCount />
      {isCaptured && (running ? <Stage /> : <Facts />)}
    </div>
  );
}

/** Tokens of the prompt beside what the model can read at once. */
function TokenCount() {
  const { count, context } = useTokenCount();
  if (count === null) return null;
  const isLonger = context !== null && count > context;
  return (
    <span className={classes.count} data-longer={isLonger || undefined}>
      {formatCount(count)} {count === 1 ? 'token' : 'tokens'}
      {isLonger && ` of ${formatCount(context)} that the model can read: shorten the prompt`}
    </span>
  );
}

function Stage() {
  const { inspect } = useStudio();
  const progress = usePart(inspect.store, ({ main, ablated }) =>
    main.kind === 'running' ? main.progress : ablated.kind === 'running' ? ablated.progress : null,
  );
  const fraction = progress?.fraction;
  return (
    <div className={classes.stage}>
      <span>{progress?.stage ?? 'Asking the engine'}</span>
      <Progress
        size={4}
        value={(fraction ?? 1) * 100}
        animated={fraction === undefined}
        aria-label="Progress of the capture"
      />
    </div>
  );
}

/** What the capture holds and what it cost. */
function Facts() {
  const { inspect } = useStudio();
  const main = usePart(inspect.store, (state) => state.main);
  const stale = usePart(inspect.store, staleOf);
  if (main.kind !== 'ready') return null;
  const { tokens, layers, heads, bytes, ms } = main.capture;
  const most = Math.max(0, ...heads);
  return (
    <span className={classes.facts}>
      {stale && (
        <span className={classes.stale}>
          {stale === 'model' ? `of ${main.capture.model}` : 'of the prompt before'}
        </span>
      )}
      <span>{formatCount(tokens.length)} tokens captured</span>
      <span>
        {layers} layers × {most} heads
      </span>
      <span>{formatBytes(bytes)}</span>
      <Tooltip label="The run with everything kept, and the same run without">
        <span>
          {formatDuration(ms.captured)} (plain {formatDuration(ms.plain)})
        </span>
      </Tooltip>
    </span>
  );
}
