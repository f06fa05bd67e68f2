import { Select } from '@mantine/core';
import type { ModelRecord } from '../../preload/contract/index.ts';
import { modelKey } from '../state/models.ts';
import { Dot, type DotKind } from '../ui/Dot.tsx';
import { formatBytes, formatCount, formatParameters } from '../ui/format.ts';
import { usePart, useStudio } from './studioContext.ts';
import classes from './ModelSelect.module.css';

interface ModelSelectProps {
  label: string;
  /** Key of the model, see `modelKey`. */
  value: string | null;
  /** The dot before each model; none where it is left out. */
  dot?: (record: ModelRecord) => DotKind;
  onChange: (key: string | null) => void;
}

/** Chooses the model that all of a view is about. */
export function ModelSelect({ label, value, dot, onChange }: ModelSelectProps) {
  const { models } = useStudio();
  const known = usePart(models.store, (state) => state.models);
  const record = (key: string | null) => known?.find((model) => modelKey(model) === key);
  const current = record(value);
  return (
    <Select
      aria-label={label}
      className={classes.picker}
      placeholder={known === null ? 'Looking for models …' : 'Choose a model'}
      value={current ? value : null}
      data={(known ?? []).map((model) => ({ value: modelKey(model), label: model.name }))}
      {...(dot && current && { leftSection: <Dot kind={dot(current)} />, leftSectionWidth: 28 })}
      searchable={(known?.length ?? 0) > 8}
      nothingFoundMessage="No model has this name"
      onChange={onChange}
      renderOption={({ option }) => {
        const model = record(option.value);
        return (
          <span className={classes.option}>
            {dot && model && <Dot kind={dot(model)} />}
            <span className={classes.name}>{option.label}</span>
            <span className={classes.size}>{model && formatBytes(model.bytes)}</span>
          </span>
        );
      }}
    />
  );
}

/** What is known of a model at a glance. */
export const modelFacts = (model: ModelRecord): readonly string[] => [
  `${formatParameters(model.parameters)} parameters`,
  formatBytes(model.bytes),
  model.precision,
  `${formatCount(model.contextLength)} context`,
];
