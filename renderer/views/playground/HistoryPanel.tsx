import { ActionIcon, Button, TextInput } from '@mantine/core';
import { IconSearch, IconTrash } from '@tabler/icons-react';
import type { RunSummary } from '../../../preload/contract/index.ts';
import { toFailure } from '../../state/failure.ts';
import { visibleRuns } from '../../state/history.ts';
import { Empty } from '../../ui/Empty.tsx';
import { formatCount, formatWhen } from '../../ui/format.ts';
import { offerUndo, tellFailure } from '../../ui/notify.tsx';
import { shortName } from '../modelNames.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './HistoryPanel.module.css';

/** The runs that were kept: search, reopen, delete. */
export function HistoryPanel() {
  const { history, generation } = useStudio();
  const state = usePart(history.store, (current) => current);
  const shown = usePart(generation.store, (run) => (run.kind === 'idle' ? null : run.run.runId));
  const runs = visibleRuns(state);
  return (
    <section aria-label="History" className={classes.panel}>
      <div className={classes.search}>
        <TextInput
          size="xs"
          aria-label="Search the history"
          placeholder="Search runs"
          leftSection={<IconSearch size={14} stroke={1.5} />}
          value={state.search}
          onChange={(event) => void history.search(event.currentTarget.value)}
        />
      </div>
      {state.failure && <p className={classes.failure}>{state.failure.message}</p>}
      {runs.length > 0 ? (
        <ul className={classes.list}>
          {runs.map((run) => (
            <Entry key={run.id} run={run} current={run.id === shown} />
          ))}
        </ul>
      ) : (
        state.runs && <NoRuns search={state.search} />
      )}
    </section>
  );
}

function NoRuns({ search }: { search: string }) {
  const { history } = useStudio();
  return search === '' ? (
    <Empty>Every run is kept here, with its prompt, settings and tokens.</Empty>
  ) : (
    <Empty
      action={
        <Button size="xs" variant="default" onClick={() => void history.search('')}>
          Show all runs
        </Button>
      }
    >
      No run contains “{search}”.
    </Empty>
  );
}

function Entry({ run, current }: { run: RunSummary; current: boolean }) {
  const studio = useStudio();
  const { history } = studio;
  const reopen = async (): Promise<void> => {
    try {
      await studio.reopen(run.id);
    } catch (error) {
      tellFailure(toFailure(error).message);
    }
  };
  const remove = (): void => {
    history.remove(run.id);
    offerUndo({
      message: 'Run deleted',
      undo: () => history.undo(run.id),
      settle: () => void history.settle(run.id),
    });
  };
  const broken = run.finish === null;
  return (
    <li className={classes.entry}>
      <button
        type="button"
        className={classes.open}
        aria-current={current || undefined}
        onClick={() => void reopen()}
      >
        <span className={classes.prompt}>{run.promptText || 'Empty prompt'}</span>
        <span className={classes.text}>{run.text.trim() || '–'}</span>
        <span className={classes.facts}>
          {broken && (
            <span className={classes.broken}>{run.error ? 'failed' : 'broke off'} · </span>
          )}
          {formatWhen(run.startedAt)} · {formatCount(run.newTokens)} tok · {shortName(run.model)}
        </span>
      </button>
      <ActionIcon className={classes.remove} aria-label="Delete run" onClick={remove}>
        <IconTrash size={14} stroke={1.5} />
      </ActionIcon>
    </li>
  );
}
