import { ActionIcon, NumberInput, Slider, Tooltip, VisuallyHidden } from '@mantine/core';
import { IconRotate2 } from '@tabler/icons-react';
import { useId } from 'react';
import type { Parameter } from './parameters.ts';
import classes from './Settings.module.css';

interface ParameterRowProps {
  parameter: Parameter;
  value: number;
  standard: number;
  onChange: (value: number) => void;
}

/** One number of the sampler: field, slider, mark and reset when changed, explanation on hover. */
export function ParameterRow({ parameter, value, standard, onChange }: ParameterRowProps) {
  const { label, sentence, formula, slider, limits, step } = parameter;
  const describedBy = useId();
  const changed = value !== standard;
  const [min, max] = slider;
  const digits = step < 1 ? 2 : 0;
  return (
    <Tooltip
      position="left"
      label={
        <>
          {sentence}
          <span className={classes.formula}>{formula}</span>
        </>
      }
    >
      <div className={classes.parameter}>
        <VisuallyHidden id={describedBy}>
          {sentence} {formula}
        </VisuallyHidden>
        <span className={classes.name} data-changed={changed || undefined}>
          {label}
        </span>
        {changed && (
          <ActionIcon
            aria-label={`Reset ${label} to ${standard}`}
            className={classes.reset}
            onClick={() => onChange(standard)}
          >
            <IconRotate2 size={14} stroke={1.5} />
          </ActionIcon>
        )}
        <NumberInput
          aria-label={label}
          aria-describedby={describedBy}
          size="xs"
          className={classes.number}
          value={value}
          min={limits[0]}
          max={limits[1]}
          step={step}
          decimalScale={digits === 0 ? 0 : 4}
          allowDecimal={digits > 0}
          hideControls
          // What is being typed may be empty or half a number: only numbers go on.
          onChange={(next) => {
            if (typeof next === 'number' && next >= limits[0] && next <= limits[1]) onChange(next);
          }}
        />
        <Slider
          className={classes.slider}
          thumbLabel={`${label}, slider`}
          value={Math.min(max, Math.max(min, value))}
          min={min}
          max={max}
          step={step}
          startPointValue={Math.min(max, Math.max(min, standard))}
          onChange={(next) => onChange(Number(next.toFixed(digits)))}
        />
      </div>
    </Tooltip>
  );
}
