import { ActionIcon, Button, Progress, Switch, Tooltip } from '@mantine/core';
import { IconCopy, IconMessagePlus } from '@tabler/icons-react';
import type { FinishReason, Progress as Stage } from '../../../preload/contract/index.ts';
import { keyNames } from '../../state/shortcuts.ts';
import { textOf } from '../../state/tokens.ts';
import { Empty } from '../../ui/Empty.tsx';
import { formatRemaining } from '../../ui/format.ts';
import { Keys } from '../../ui/Keys.tsx';
import { tell } from '../../ui/notify.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { ExportMenu } from './ExportMenu.tsx';
import { Failed } from './Failed.tsx';
import classes from './OutputPane.module.css';
import { OutputLog } from './OutputLog.tsx';
import { ProbabilityLegend } from './ProbabilityLegend.tsx';
import { Reproduce } from './Reproduce.tsx';

/** The tokens as they come, and what can be done with them. */
export function OutputPane() {
  return (
    <section aria-label="Result" className={classes.pane}>
      <Bar />
      <Body />
    </section>
  );
}

function Body() {
  const { generation, host } = useStudio();
  const state = usePart(generation.store, (current) => current);
  return (
    <>
      {(state.kind === 'loading' || state.kind === 'prefilling') && (
        <Waiting
          what={state.kind === 'loading' ? 'Loading the model' : 'Reading the prompt'}
          progress={state.progress}
        />
      )}
      {state.kind === 'failed' && <Failed failure={state.failure} />}
      {state.kind === 'idle' ? (
        <Empty action={<Keys names={keyNames({ key: 'Enter', mod: true }, host.mac)} />}>
          Run the prompt to see its continuation here, token by token, coloured by how probable the
          model found each.
        </Empty>
      ) : (
        <OutputLog state={state} />
      )}
    </>
  );
}

/** Reads only what does not change with every token, so that streaming does not redraw it. */
function Bar() {
  const { navigation, generation, host } = useStudio();
  const colored = usePart(navigation.store, (current) => current.colored);
  const isIdle = usePart(generation.store, (state) => state.kind === 'idle');
  const reason = usePart(generation.store, (state) =>
    state.kind === 'finished' ? state.reason : null,
  );
  const copy = async (): Promise<void> => {
    const state = generation.store.getState();
    if (state.kind === 'idle') return;
    await host.copy(state.kind === 'finished' ? state.text : textOf(state.run.blocks));
    tell('Output copied');
  };
  return (
    <div className={classes.bar}>
      <h2>Output</h2>
      <output className={classes.reason}>{reason && finishText[reason]}</output>
      <span className={classes.tools}>
        {colored && <ProbabilityLegend />}
        <Switch label="Probability" checked={colored} onChange={() => navigation.toggleColored()} />
        <ContinueChat />
        {!isIdle && (
          <>
            <Tooltip label="Copy the output">
              <ActionIcon aria-label="Copy the output" onClick={() => void copy()}>
                <IconCopy size={16} stroke={1.5} />
              </ActionIcon>
            </Tooltip>
            <ExportMenu />
            <Reproduce />
          </>
        )}
      </span>
    </div>
  );
}

const finishText: Readonly<Record<FinishReason, string>> = {
  'end-of-text': 'ended by itself',
  'stop-string': 'ended at a stop string',
  'max-tokens': 'ended at max tokens',
  'context-full': 'ended: context full',
  cancelled: 'stopped',
};

/** Puts the answer into the conversation, so that the next message can follow. */
function ContinueChat() {
  const { draft, generation } = useStudio();
  const answered = usePart(
    generation.store,
    (state) =>
      (state.kind === 'finished' || state.kind === 'failed') &&
      state.run.request.prompt.kind === 'chat' &&
      state.run.count > 0,
  );
  const add = (): void => {
    const state = generation.store.getState();
    if (state.kind === 'idle' || state.run.request.prompt.kind !== 'chat') return;
    const { request, blocks } = state.run;
    const content = ((request.prefixText ?? '') + textOf(blocks)).trim();
    const answer = { role: 'assistant', content } as const;
    const next = { role: 'user', content: '' } as const;
    const { messages } = state.run.request.prompt;
    draft.change({ model: request.model, mode: 'chat', messages: [...messages, answer, next] });
  };
  return answered ? (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconMessagePlus size={14} aria-hidden="true" />}
      onClick={add}
    >
      Add to chat
    </Button>
  ) : null;
}

function Waiting({ what, progress }: { what: string; progress: Stage | null }) {
  const fraction = progress?.fraction;
  return (
    <output className={classes.waiting}>
      <span>
        {progress?.stage ?? what}
        {progress?.remainingMs !== undefined && (
          <span className={classes.remaining}>
            {' '}
            about {formatRemaining(progress.remainingMs)} left
          </span>
        )}
      </span>
      <Progress
        aria-label={what}
        size={2}
        value={fraction === undefined ? 100 : fraction * 100}
        animated={fraction === undefined}
      />
    </output>
  );
}
