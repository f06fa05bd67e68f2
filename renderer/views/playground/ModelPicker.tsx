import { Button, Select } from '@mantine/core';
import type { ModelRecord, RunnerState } from '../../../preload/contract/index.ts';
import { modelKey } from '../../state/models.ts';
import { Dot, type DotKind } from '../../ui/Dot.tsx';
import { formatBytes, formatCount, formatParameters } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Header.module.css';

/** Chooses the model that answers, and says whether it is loaded. */
export function ModelPicker() {
  const { draft, models, runners, navigation } = useStudio();
  const chosen = usePart(draft.store, (state) => state.model);
  const known = usePart(models.store, (state) => state.models);
  const held = usePart(runners.store, (state) => state.runners);
  const current = known?.find((record) => modelKey(record) === chosen);
  const loading = known === null;

  if (known?.length === 0) {
    return (
      <Button variant="default" onClick={() => navigation.open('folder')}>
        Open folder…
      </Button>
    );
  }
  return (
    <>
      <Select
        aria-label="Model"
        className={classes.picker}
        placeholder={loading ? 'Looking for models …' : 'Choose a model'}
        value={current ? chosen : null}
        data={(known ?? []).map((record) => ({ value: modelKey(record), label: record.name }))}
        leftSection={current && <Dot kind={stateOf(current, held).dot} />}
        leftSectionWidth={28}
        searchable={(known?.length ?? 0) > 8}
        nothingFoundMessage="No model has this name"
        onChange={(model) => draft.change({ model })}
        renderOption={({ option }) => {
          const record = known?.find((candidate) => modelKey(candidate) === option.value);
          return (
            <span className={classes.option}>
              <Dot kind={record ? stateOf(record, held).dot : 'off'} />
              <span>{option.label}</span>
              <span>{record && formatBytes(record.bytes)}</span>
            </span>
          );
        }}
      />
      {current && (
        <span className={classes.facts}>
          <span>{stateOf(current, held).text}</span>
          <span>{formatParameters(current.parameters)} parameters</span>
          <span>{formatBytes(current.bytes)}</span>
          <span>{current.precision}</span>
          <span>{formatCount(current.contextLength)} context</span>
        </span>
      )}
    </>
  );
}

function stateOf(
  record: ModelRecord,
  runners: readonly RunnerState[],
): { dot: DotKind; text: string } {
  const runner = runners.find(({ model }) => model === record.name || model === modelKey(record));
  switch (runner?.kind) {
    case 'loading':
      return { dot: 'busy', text: 'loading' };
    case 'ready':
    case 'busy':
      return { dot: 'good', text: 'loaded' };
    case 'dead':
      return { dot: 'bad', text: 'ended' };
    case 'unloaded':
    case undefined:
      return { dot: 'off', text: 'not loaded' };
  }
}
