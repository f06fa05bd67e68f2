import { Button, MultiSelect } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import type { ModelRecord } from '../../../../preload/contract/index.ts';
import { modelKey } from '../../../state/models.ts';
import { mostModels } from '../../../state/tokenizer.ts';
import { RemovablePill } from '../../../ui/RemovablePill.tsx';
import { usePart, useStudio } from '../../studioContext.ts';
import parts from '../parts/parts.module.css';
import { Trouble } from '../parts/Trouble.tsx';
import { Working } from '../parts/Working.tsx';
import { LossResult } from './LossResult.tsx';
import classes from './tokenizer.module.css';

const none: readonly ModelRecord[] = [];

/** What up to four models make of each token: its loss, and how far they are from the first. */
export function LossSection() {
  const { tokenizer, models } = useStudio();
  const known = usePart(models.store, (state) => state.models) ?? none;
  const chosen = usePart(tokenizer.store, (state) => state.models);
  const losses = usePart(tokenizer.store, (state) => state.losses);
  const hasText = usePart(tokenizer.store, (state) => state.text !== '');
  const size = known.find((record) => modelKey(record) === chosen[0])?.vocabularySize;
  const run = (): void => void tokenizer.run();
  return (
    <section className={parts.section} aria-label="Loss by token">
      <div className={parts.head}>
        <h2>Loss by token</h2>
      </div>
      <div className={classes.setup}>
        <MultiSelect
          aria-label="Models to read the text"
          className={classes.models}
          placeholder={chosen.length === 0 ? 'Choose up to four models' : ''}
          value={[...chosen]}
          maxValues={mostModels}
          searchable
          data={known.map((record) => ({
            value: modelKey(record),
            label: record.name,
            // Losses per token compare only where the tokens are the same.
            disabled: size !== undefined && record.vocabularySize !== size,
          }))}
          renderPill={({ value, onRemove }) => (
            <RemovablePill value={String(value)} onRemove={onRemove} />
          )}
          onChange={(next) => tokenizer.change({ models: next })}
        />
        {losses.kind === 'working' ? (
          <Working
            progress={losses.progress}
            label="Progress of reading"
            onStop={() => tokenizer.cancel()}
          />
        ) : (
          <Button
            leftSection={<IconPlayerPlay size={16} stroke={1.5} aria-hidden="true" />}
            disabled={chosen.length === 0 || !hasText}
            onClick={run}
          >
            Read the text
          </Button>
        )}
      </div>
      {losses.kind === 'idle' && (
        <p className={parts.note}>
          The chosen models read the text; every token is coloured by how much it surprised them.
        </p>
      )}
      {losses.kind === 'failed' && <Trouble failure={losses.failure} retry={run} />}
      {losses.kind === 'done' && <LossResult losses={losses.result} />}
    </section>
  );
}
