import { ActionIcon, Button, NumberInput, Tooltip } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Settings.module.css';

/** Token ids with what is added to their logits. */
export function BiasEditor() {
  const { draft } = useStudio();
  const bias = usePart(draft.store, (state) => state.sampling.logitBias);
  const [id, setId] = useState<string | number>('');
  const set = (entries: [string, number][]): void =>
    draft.changeSampling({ logitBias: Object.fromEntries(entries) });
  const entries = Object.entries(bias);
  const add = (): void => {
    if (id === '') return;
    set([...entries, [String(id), 0]]);
    setId('');
  };
  return (
    <div className={classes.bias}>
      <Tooltip
        position="left"
        label={
          <>
            Adds a number to the logit of one token; −100 all but forbids it.
            <span className={classes.formula}>logit(id) + bias</span>
          </>
        }
      >
        <span className={classes.name} data-changed={entries.length > 0 || undefined}>
          Logit bias
        </span>
      </Tooltip>
      {entries.map(([token, value]) => (
        <div key={token} className={classes.biasRow}>
          <span className="mono">id {token}</span>
          <NumberInput
            aria-label={`Bias of token ${token}`}
            size="xs"
            className={classes.number}
            value={value}
            min={-100}
            max={100}
            step={1}
            hideControls
            onChange={(next) => {
              if (typeof next === 'number' && Math.abs(next) <= 100)
                set(entries.map(([key, old]) => [key, key === token ? next : old]));
            }}
          />
          <ActionIcon
            aria-label={`Remove the bias of token ${token}`}
            onClick={() => set(entries.filter(([key]) => key !== token))}
          >
            <IconX size={14} stroke={1.5} />
          </ActionIcon>
        </div>
      ))}
      <div className={classes.biasRow}>
        <NumberInput
          aria-label="Token id to bias"
          placeholder="Token id"
          size="xs"
          value={id}
          min={0}
          allowDecimal={false}
          allowNegative={false}
          hideControls
          onChange={setId}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) add();
          }}
        />
        <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={add}>
          Add
        </Button>
      </div>
    </div>
  );
}
