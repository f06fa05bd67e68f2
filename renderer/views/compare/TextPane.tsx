import { Button, MultiSelect, Textarea } from '@mantine/core';
import { useState } from 'react';
import { baseOf } from '../../state/measure.ts';
import { modelKey } from '../../state/models.ts';
import { Empty } from '../../ui/Empty.tsx';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { RemovablePill } from '../../ui/RemovablePill.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './TextPane.module.css';
import { TextStrip } from './TextStrip.tsx';
import { withoutBase } from './words.ts';

/** One base and seven variants at most are read together. */
const most = 7;

/** Where variants part from their base along a text; a token opens in Inspect. */
export function TextPane() {
  const { compare, models, textDivergence } = useStudio();
  const known = usePart(models.store, (state) => state.models);
  const selected = usePart(compare.store, (state) => state.selected);
  const text = usePart(textDivergence.store, (state) => state.text);
  const reading = usePart(textDivergence.store, (state) => state.reading);
  const [own, setOwn] = useState<readonly string[] | null>(null);
  const records = known ?? [];
  const variants = records.map(modelKey).filter((key) => baseOf(key, records) !== null);
  const wished = (own ?? [...selected]).filter((key) => variants.includes(key));
  const base = wished[0] === undefined ? null : baseOf(wished[0], records);
  // What is read together has one vocabulary.
  const fitting = variants.filter((key) => base === null || baseOf(key, records) === base);
  const chosen = wished.filter((key) => fitting.includes(key)).slice(0, most);
  const isReading = reading.kind === 'reading';
  return (
    <div className={classes.pane}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (base !== null) void textDivergence.read(base, chosen);
        }}
      >
        <MultiSelect
          size="xs"
          label={base === null ? 'Variants' : `Variants of ${base}`}
          placeholder={chosen.length === 0 ? 'Choose variants' : ''}
          value={[...chosen]}
          data={fitting.map((key) => ({ value: key, label: withoutBase(key, base ?? '') }))}
          maxValues={most}
          searchable
          renderPill={({ value, option, onRemove }) => (
            <RemovablePill value={option?.label ?? String(value)} onRemove={onRemove} />
          )}
          onChange={setOwn}
        />
        <Textarea
          size="xs"
          label="Text"
          rows={4}
          value={text}
          onChange={(event) => textDivergence.setText(event.currentTarget.value)}
        />
        <Button
          size="xs"
          type="submit"
          disabled={chosen.length === 0 || text.trim() === '' || isReading}
        >
          {isReading ? 'Reading …' : 'Read'}
        </Button>
      </form>
      <div className={classes.result} aria-live="polite">
        {reading.kind === 'idle' && (
          <Empty>
            Choose variants and a text to see at which tokens they say something else than their
            base.
          </Empty>
        )}
        {reading.kind === 'reading' && (
          <Empty
            action={
              <Button size="xs" variant="default" onClick={() => textDivergence.stop()}>
                Stop
              </Button>
            }
          >
            {reading.progress?.stage ?? 'Starting'}
            {reading.progress?.fraction !== undefined &&
              `, ${Math.round(reading.progress.fraction * 100)} %`}
          </Empty>
        )}
        {reading.kind === 'failed' && <ErrorPanel failure={reading.failure} />}
        {reading.kind === 'done' && <TextStrip losses={reading.losses} text={reading.text} />}
      </div>
    </div>
  );
}
