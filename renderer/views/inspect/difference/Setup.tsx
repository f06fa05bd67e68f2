import { Button, NumberInput, Select } from '@mantine/core';
import { IconArrowsDiff, IconFileTypeHtml } from '@tabler/icons-react';
import type { ModelRecord } from '../../../../preload/contract/index.ts';
import { pairOf } from '../../../state/difference.ts';
import { toFailure } from '../../../state/failure.ts';
import { modelKey } from '../../../state/models.ts';
import { tellFailure } from '../../../ui/notify.tsx';
import { saveText } from '../../../ui/save.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { Working } from '../parts/Working.tsx';
import classes from './difference.module.css';

const none: readonly ModelRecord[] = [];

/** Which two are compared, and the button that does it. */
export function Setup() {
  const { inspect, difference, models, connection } = useStudio();
  const known = usePart(models.store, (state) => state.models) ?? none;
  const { base, variant, newTokens, comparison } = usePart(difference.store, (state) => state);
  const isConnected = usePart(connection, (state) => state.connection.kind === 'ready');
  const data = known.map((record) => ({ value: modelKey(record), label: record.name }));
  const searchable = known.length > 8;
  const chooseVariant = (next: string | null): void => {
    if (next === null) return;
    // What it was made from is what it is compared with, unless that was chosen by hand.
    const pair = pairOf(next, known);
    difference.change({ variant: next, ...(pair.variant === next && { base: pair.base ?? base }) });
    inspect.setModel(next);
  };
  const chooseBase = (next: string | null): void => {
    difference.change({ base: next });
    if (variant === null && next !== null) inspect.setModel(next);
  };
  const run = (): void => void difference.run(inspect.store.getState().prompt);
  return (
    <div className={parts.bar} data-tight>
      <span className={`${parts.named} ${classes.chosen}`}>
        Base
        <Select
          aria-label="Base"
          className={classes.model}
          placeholder="Choose a model"
          value={base}
          data={data}
          searchable={searchable}
          onChange={chooseBase}
        />
      </span>
      <span className={`${parts.named} ${classes.chosen}`}>
        Variant
        <Select
          aria-label="Variant"
          className={classes.model}
          placeholder="Choose a variant"
          value={variant}
          data={data}
          searchable={searchable}
          onChange={chooseVariant}
        />
      </span>
      <span className={parts.named}>
        New tokens
        <NumberInput
          aria-label="New tokens"
          className={classes.count}
          value={newTokens}
          min={0}
          max={4096}
          step={8}
          onChange={(count) => {
            if (typeof count === 'number') difference.change({ newTokens: count });
          }}
        />
      </span>
      {comparison.kind === 'working' ? (
        <Working
          progress={comparison.progress}
          label="Progress of the comparison"
          onStop={() => difference.cancel()}
        />
      ) : (
        <Button
          leftSection={<IconArrowsDiff size={16} stroke={1.5} aria-hidden="true" />}
          disabled={base === null || variant === null || base === variant || !isConnected}
          onClick={run}
        >
          Compare
        </Button>
      )}
      {comparison.kind === 'done' && <SaveReport />}
    </div>
  );
}

function SaveReport() {
  const { difference } = useStudio();
  const save = async (): Promise<void> => {
    const { comparison } = difference.store.getState();
    if (comparison.kind !== 'done') return;
    const { id, base, variant } = comparison.result;
    try {
      const html = await difference.report(id);
      saveText(`${fileName(base, variant)}.html`, 'text/html', html);
    } catch (error) {
      tellFailure(toFailure(error).message);
    }
  };
  return (
    <span className={parts.end}>
      <Button
        variant="default"
        leftSection={<IconFileTypeHtml size={16} stroke={1.5} aria-hidden="true" />}
        onClick={() => void save()}
      >
        Save report
      </Button>
    </span>
  );
}
