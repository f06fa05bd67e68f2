import { ActionIcon, Button, NumberInput, Select, Textarea } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { goalsText, lineOf, parseGoals, type Goal } from '../../state/goals.ts';
import { quantityOf } from '../../state/quantities.ts';
import { formatCount } from '../../ui/format.ts';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Side.module.css';
import { useComparison } from './comparison.ts';
import { QuantityPicker } from './Header.tsx';

/** What a model has to reach: in words, or field by field; how many do, and by which base. */
export function Goals() {
  const { compare, models } = useStudio();
  const { base, reaching, points, lines } = useComparison();
  const goals = usePart(compare.store, (state) => state.goals);
  const known = usePart(models.store, (state) => state.models);
  const roots = (known ?? []).filter(({ parent }) => parent === null);
  const lacking = goals.filter((goal) => lineOf(goal, base) === null);
  return (
    <section aria-label="Goals" className={classes.section}>
      <div className={classes.heading}>
        <h2>Goals</h2>
        {goals.length > 0 && lines.length === goals.length && (
          <output className={classes.reached}>
            {formatCount(reaching.size)} of {formatCount(points.length)} reach them
          </output>
        )}
        {reaching.size > 0 && (
          <Button size="xs" variant="subtle" onClick={() => compare.select(reaching)}>
            Select
          </Button>
        )}
      </div>
      <InWords key={goalsText(goals)} goals={goals} />
      {goals.map((goal, index) => (
        <GoalFields
          // Goals have no names of their own; one that moves up takes the fields of the one before.
          // oxlint-disable-next-line react/no-array-index-key
          key={index}
          goal={goal}
          onChange={(next) => compare.change({ goals: goals.with(index, next) })}
          onRemove={() => compare.change({ goals: goals.toSpliced(index, 1) })}
        />
      ))}
      <Button
        size="xs"
        variant="subtle"
        className={classes.add}
        leftSection={<IconPlus size={14} stroke={1.5} aria-hidden="true" />}
        onClick={() => compare.change({ goals: [...goals, nextGoal(compare.store.getState())] })}
      >
        Add a goal
      </Button>
      {goals.some(({ ofBase }) => ofBase) && (
        <Select
          size="xs"
          label="The base"
          value={base?.key ?? null}
          data={roots.map(({ name, folder, source }) => ({
            value: source === 'folder' ? folder : name,
            label: name,
          }))}
          onChange={(key) => compare.change({ base: key })}
        />
      )}
      {lacking.map((goal) => (
        <p key={goalsText([goal])} className={classes.note}>
          {base?.model.name ?? 'The base'} has no {quantityOf(goal.key).title}, so that nothing can
          be held against it.
        </p>
      ))}
    </section>
  );
}

/** A goal on the axis that has none yet. */
function nextGoal({ x, y, goals }: Parameters<typeof nextGoalKey>[0]): Goal {
  const key = nextGoalKey({ x, y, goals });
  const { better } = quantityOf(key);
  return key === y
    ? { key, relation: 'at-least', value: 0.98, ofBase: true }
    : { key, relation: better === 'lower' ? 'at-most' : 'at-least', value: 10, ofBase: false };
}

const nextGoalKey = ({
  x,
  y,
  goals,
}: {
  x: Goal['key'];
  y: Goal['key'];
  goals: readonly Goal[];
}): Goal['key'] => (goals.some(({ key }) => key === x) ? y : x);

function InWords({ goals }: { goals: readonly Goal[] }) {
  const { compare } = useStudio();
  const [text, setText] = useState(() => goalsText(goals));
  const [wrong, setWrong] = useState<string | null>(null);
  const take = (): void => {
    const reading = parseGoals(text, compare.store.getState());
    setWrong(reading.kind === 'wrong' ? reading.message : null);
    if (reading.kind === 'right' && goalsText(reading.goals) !== goalsText(goals))
      compare.change({ goals: reading.goals });
  };
  return (
    <Textarea
      size="xs"
      rows={3}
      aria-label="Goals in words"
      placeholder="at most 10 ms and at least 98 % of the base"
      value={text}
      error={wrong}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        take();
      }}
    />
  );
}

interface GoalFieldsProps {
  goal: Goal;
  onChange: (goal: Goal) => void;
  onRemove: () => void;
}

function GoalFields({ goal, onChange, onRemove }: GoalFieldsProps) {
  const { title, unit } = quantityOf(goal.key);
  return (
    <fieldset className={classes.goal} aria-label={`Goal for ${title}`}>
      <QuantityPicker
        label="Quantity"
        value={goal.key}
        onChange={(key) => onChange({ ...goal, key })}
      />
      <ActionIcon aria-label={`Remove the goal for ${title}`} onClick={onRemove}>
        <IconX size={14} stroke={1.5} />
      </ActionIcon>
      <div className={classes.bound}>
        <Select
          size="xs"
          aria-label="Relation"
          value={goal.relation}
          data={[
            { value: 'at-most', label: 'at most' },
            { value: 'at-least', label: 'at least' },
          ]}
          onChange={(relation) =>
            onChange({ ...goal, relation: relation === 'at-least' ? 'at-least' : 'at-most' })
          }
        />
        <NumberInput
          size="xs"
          aria-label="Value"
          hideControls
          min={0}
          value={goal.ofBase ? Number((goal.value * 100).toPrecision(6)) : goal.value}
          onChange={(value) => {
            const number = Number(value);
            if (value === '' || !Number.isFinite(number)) return;
            onChange({ ...goal, value: goal.ofBase ? number / 100 : number });
          }}
        />
        <Select
          size="xs"
          aria-label="Unit"
          value={goal.ofBase ? 'base' : 'unit'}
          data={[
            { value: 'unit', label: unit === '' ? 'as it is' : unit },
            { value: 'base', label: '% of base' },
          ]}
          onChange={(of) =>
            onChange({ ...goal, ofBase: of === 'base', value: of === 'base' ? 0.98 : goal.value })
          }
        />
      </div>
    </fieldset>
  );
}
