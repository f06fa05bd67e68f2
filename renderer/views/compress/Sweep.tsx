import { ActionIcon, Button, Menu, MultiSelect, TagsInput, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { Fragment } from 'react';
import { labelOf, optionsOf } from '../../state/passOptions.ts';
import { passTitles } from '../../state/passes.ts';
import { recipesToRun } from '../../state/recipe.ts';
import { sweepable, sweepSize, valuesOf, type SweepAxis } from '../../state/sweep.ts';
import { formatCount } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Plan.module.css';
import { RemovablePill } from '../../ui/RemovablePill.tsx';

/** Varies options over a grid: every point becomes a recipe of its own. */
export function Sweep() {
  const { recipe } = useStudio();
  const axes = usePart(recipe.store, (state) => state.axes);
  const draft = usePart(recipe.store, ({ reading }) => reading.draft);
  const isWrong = usePart(
    recipe.store,
    (state) => state.reading.kind === 'right' && recipesToRun(state).length === 0,
  );
  const free = sweepable(draft).filter(
    ({ step, option }) => !axes.some((axis) => axis.step === step && axis.key === option.key),
  );
  const size = sweepSize(axes);
  return (
    <section aria-label="Sweep" className={classes.section}>
      <div className={classes.heading}>
        <h2>Sweep</h2>
        {size > 1 && <span className={classes.count}>{formatCount(size)} recipes</span>}
        <Menu position="bottom-end" shadow="md">
          <Menu.Target>
            <Button
              size="xs"
              variant="subtle"
              disabled={free.length === 0}
              leftSection={<IconPlus size={14} stroke={1.5} aria-hidden="true" />}
            >
              Vary an option
            </Button>
          </Menu.Target>
          <Menu.Dropdown className={classes.menu}>
            {[...Map.groupBy(free, ({ step }) => step)].map(([step, options]) => (
              <Fragment key={step}>
                <Menu.Label>{titleOf(draft.passes, step)}</Menu.Label>
                {options.map(({ option: { key } }) => (
                  <Menu.Item
                    key={key}
                    onClick={() => recipe.setAxes([...axes, { step, key, values: [] }])}
                  >
                    {labelOf(key)}
                  </Menu.Item>
                ))}
              </Fragment>
            ))}
          </Menu.Dropdown>
        </Menu>
      </div>
      {axes.length === 0 && (
        <p className={classes.hint}>
          Vary an option to queue one recipe for each of its values, or a grid of several options.
        </p>
      )}
      {axes.map((axis) => (
        <Axis
          key={`${axis.step} ${axis.key}`}
          axis={axis}
          title={`${titleOf(draft.passes, axis.step)}: ${labelOf(axis.key)}`}
          pass={draft.passes[axis.step]?.pass}
          onChange={(values) =>
            recipe.setAxes(axes.map((each) => (each === axis ? { ...axis, values } : each)))
          }
          onDrop={() => recipe.setAxes(axes.filter((each) => each !== axis))}
        />
      ))}
      {isWrong && (
        <p role="alert" className={classes.wrong}>
          One of these values is not one that the option takes.
        </p>
      )}
    </section>
  );
}

interface AxisProps {
  axis: SweepAxis;
  title: string;
  pass: keyof typeof passTitles | undefined;
  onChange: (values: SweepAxis['values']) => void;
  onDrop: () => void;
}

function Axis({ axis, title, pass, onChange, onDrop }: AxisProps) {
  const option = pass && optionsOf(pass).find(({ key }) => key === axis.key);
  const values = option ? valuesOf(option) : null;
  const words = axis.values.map(String);
  return (
    <div className={classes.axis}>
      <span>{title}</span>
      {values ? (
        <MultiSelect
          aria-label={`Values of ${title}`}
          placeholder={words.length === 0 ? 'Choose values' : ''}
          value={words}
          renderPill={({ value: name, onRemove }) => (
            <RemovablePill value={String(name)} onRemove={onRemove} />
          )}
          data={values.map(String)}
          onChange={(next) => onChange(values.filter((value) => next.includes(String(value))))}
        />
      ) : (
        <TagsInput
          aria-label={`Values of ${title}`}
          placeholder={words.length === 0 ? 'Numbers, Enter adds one' : ''}
          value={words}
          renderPill={({ value: name, onRemove }) => (
            <RemovablePill value={String(name)} onRemove={onRemove} />
          )}
          splitChars={[',', ' ']}
          onChange={(next) => onChange(next.map(Number).filter((value) => Number.isFinite(value)))}
        />
      )}
      <Tooltip label="Do not vary this option">
        <ActionIcon size="md" aria-label={`Do not vary ${title}`} onClick={onDrop}>
          <IconTrash size={16} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}

const titleOf = (
  passes: readonly { readonly pass: keyof typeof passTitles }[],
  step: number,
): string => {
  const pass = passes[step]?.pass;
  return pass ? `${step + 1}. ${passTitles[pass].title}` : '';
};
