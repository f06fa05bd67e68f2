import { ActionIcon, Tooltip, VisuallyHidden } from '@mantine/core';
import { IconRotate2 } from '@tabler/icons-react';
import { useId } from 'react';
import { labelOf, sameValue, type Option } from '../../state/passOptions.ts';
import { OptionInput } from './OptionInput.tsx';
import { Prose } from './Prose.tsx';
import classes from './Option.module.css';

interface OptionFieldProps {
  option: Option;
  /** As it is written; undefined where it is left out. */
  value: unknown;
  errors: readonly string[];
  onChange: (value: unknown) => void;
}

/** One option: name, mark and reset where it differs from its default, help, and its field. */
export function OptionField({ option, value, errors, onChange }: OptionFieldProps) {
  const { key, description, standard, input } = option;
  const label = labelOf(key);
  const describedBy = useId();
  const isChanged = value !== undefined && !sameValue(value, standard);
  const isWide = input.kind === 'targets' || input.kind === 'group' || input.kind === 'variant';
  return (
    <div className={classes.option} data-wide={isWide || undefined}>
      <Tooltip label={<Prose text={description} />} position="top-start" disabled={!description}>
        <span className={classes.label} data-changed={isChanged || undefined}>
          {label}
        </span>
      </Tooltip>
      <VisuallyHidden id={describedBy}>{description}</VisuallyHidden>
      {isChanged && (
        <ActionIcon
          className={classes.reset}
          aria-label={`Reset ${label} to its default`}
          onClick={() => onChange(undefined)}
        >
          <IconRotate2 size={14} stroke={1.5} />
        </ActionIcon>
      )}
      <div className={classes.input}>
        <OptionInput
          label={label}
          describedBy={describedBy}
          input={input}
          value={value === undefined ? standard : value}
          onChange={onChange}
        />
      </div>
      {errors.map((error) => (
        <p key={error} role="alert" className={classes.error}>
          {error}
        </p>
      ))}
    </div>
  );
}
