import { Select } from '@mantine/core';
import { modelKey } from '../../state/models.ts';
import { formatBytes } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Inspect.module.css';

/** Chooses the model to look into. */
export function InspectModel() {
  const { inspect, models } = useStudio();
  const chosen = usePart(inspect.store, (state) => state.model);
  const known = usePart(models.store, (state) => state.models);
  const record = (key: string) => known?.find((model) => modelKey(model) === key);
  return (
    <Select
      aria-label="Model"
      className={classes.model}
      placeholder={known === null ? 'Looking for models …' : 'Choose a model'}
      value={chosen}
      data={(known ?? []).map((model) => ({ value: modelKey(model), label: model.name }))}
      searchable={(known?.length ?? 0) > 8}
      nothingFoundMessage="No model has this name"
      onChange={(key) => inspect.setModel(key)}
      renderOption={({ option }) => (
        <span className={classes.option}>
          <span>{option.label}</span>
          <span>{formatBytes(record(option.value)?.bytes ?? 0)}</span>
        </span>
      )}
    />
  );
}
