import { ActionIcon, Button, Popover, Select, TextInput, Tooltip } from '@mantine/core';
import { IconDeviceFloppy, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { presetOf } from '../../state/presets.ts';
import { toFailure } from '../../state/failure.ts';
import { offerUndo, tellFailure } from '../../ui/notify.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Settings.module.css';

/** Applies, saves and deletes named settings. */
export function PresetPicker() {
  const { draft, presets } = useStudio();
  const settings = usePart(draft.store, (state) => state);
  const known = usePart(presets.store, (state) => state.presets);
  const current = presetOf(known, settings);

  const remove = async (): Promise<void> => {
    if (!current) return;
    try {
      await presets.remove(current.name);
      offerUndo({
        message: `Preset “${current.name}” deleted`,
        undo: () => void presets.save(current.name, current),
      });
    } catch (error) {
      tellFailure(toFailure(error).message);
    }
  };
  return (
    <div className={classes.group}>
      <h2 id="preset">Preset</h2>
      <div className={classes.preset}>
        <Select
          aria-labelledby="preset"
          placeholder="Own settings"
          value={current?.name ?? null}
          data={known.map(({ name }) => name)}
          nothingFoundMessage="No presets yet"
          onChange={(name) => {
            const preset = known.find((candidate) => candidate.name === name);
            if (preset) draft.apply(preset);
          }}
        />
        <SavePreset taken={known.filter(({ builtIn }) => builtIn).map(({ name }) => name)} />
        <Tooltip label="Delete this preset">
          <ActionIcon
            size="md"
            aria-label="Delete preset"
            disabled={!current || current.builtIn}
            onClick={() => void remove()}
          >
            <IconTrash size={16} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
      </div>
    </div>
  );
}

function SavePreset({ taken }: { taken: readonly string[] }) {
  const { draft, presets } = useStudio();
  const [open, setOpen] = useState(false);
  const [name, setName] = useState('');
  const isTaken = taken.includes(name.trim());

  const save = async (): Promise<void> => {
    try {
      await presets.save(name.trim(), draft.store.getState());
      setOpen(false);
      setName('');
    } catch (error) {
      tellFailure(toFailure(error).message);
    }
  };
  return (
    <Popover opened={open} onChange={setOpen} trapFocus position="bottom-end" width={264}>
      <Popover.Target>
        <Tooltip label="Save these settings as a preset">
          <ActionIcon size="md" aria-label="Save preset" onClick={() => setOpen(!open)}>
            <IconDeviceFloppy size={16} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          className={classes.save}
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <TextInput
            label="Name"
            data-autofocus
            maxLength={80}
            value={name}
            error={isTaken && 'This name is one of Lathe’s own'}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" disabled={name.trim() === '' || isTaken}>
            Save preset
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
