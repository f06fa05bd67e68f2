import { ActionIcon, Tooltip } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconTrash } from '@tabler/icons-react';
import type { KeyboardEvent } from 'react';
import { descriptionOf, labelOf, optionsOf } from '../../state/passOptions.ts';
import { passTitles } from '../../state/passes.ts';
import { movePass, removePass, setOption } from '../../state/recipeEdits.ts';
import { isObject, issuesAt, type Issue, type PassDraft } from '../../state/recipeText.ts';
import { offerUndo } from '../../ui/notify.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { OptionField } from './OptionField.tsx';
import classes from './Recipe.module.css';

interface PassCardProps {
  index: number;
  pass: PassDraft;
  issues: readonly Issue[];
}

/** One pass: its title opens its options, arrows move it. */
export function PassCard({ index, pass, issues }: PassCardProps) {
  const { recipe } = useStudio();
  const isOpen = usePart(recipe.store, (state) => state.step === index);
  const count = usePart(recipe.store, (state) => state.reading.draft.passes.length);
  const { title } = passTitles[pass.pass];
  const wrong = issuesAt(issues, 'passes', index);
  const move = (to: number): void => {
    if (to < 0 || to >= count) return;
    recipe.edit(movePass(index, to));
    recipe.selectStep(to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    const to = index + (event.key === 'ArrowUp' ? -1 : 1);
    const titles = event.currentTarget.closest('ol');
    const place = Math.max(0, Math.min(count - 1, to));
    move(to);
    // The pass that was moved keeps the keyboard at its new place.
    requestAnimationFrame(() => {
      titles?.querySelectorAll<HTMLElement>('[data-title]').item(place).focus();
    });
  };
  const remove = (): void => {
    const { text } = recipe.store.getState();
    recipe.edit(removePass(index));
    offerUndo({ message: `${title} removed`, undo: () => recipe.setText(text) });
  };
  const body = `pass-${index}`;
  return (
    <li className={classes.pass} data-open={isOpen || undefined}>
      <div className={classes.head}>
        <button
          type="button"
          className={classes.title}
          data-title
          aria-expanded={isOpen}
          aria-controls={body}
          onClick={() => recipe.selectStep(index)}
          onKeyDown={onKeyDown}
        >
          <span className={classes.number}>{index + 1}</span>
          <span>{title}</span>
          <span className={classes.changes} data-wrong={wrong.length > 0 || undefined}>
            {wrong.length > 0 ? 'needs a change' : !isOpen && changesOf(pass)}
          </span>
        </button>
        <Tooltip label="Move up (Alt ↑)">
          <ActionIcon
            aria-label={`Move ${title} up`}
            disabled={index === 0}
            onClick={() => move(index - 1)}
          >
            <IconArrowUp size={14} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Move down (Alt ↓)">
          <ActionIcon
            aria-label={`Move ${title} down`}
            disabled={index === count - 1}
            onClick={() => move(index + 1)}
          >
            <IconArrowDown size={14} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Remove">
          <ActionIcon aria-label={`Remove ${title}`} onClick={remove}>
            <IconTrash size={14} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
      </div>
      {isOpen && (
        <div id={body} className={classes.options}>
          <p className={classes.hint}>{descriptionOf(pass.pass)}</p>
          {optionsOf(pass.pass).map((option) => (
            <OptionField
              key={option.key}
              option={option}
              value={pass[option.key]}
              errors={issuesAt(issues, 'passes', index, option.key)}
              onChange={(value) => recipe.edit(setOption(index, option.key, value))}
            />
          ))}
        </div>
      )}
    </li>
  );
}

/** What differs from the defaults, in a line. */
const changesOf = (pass: PassDraft): string =>
  Object.entries(pass)
    .filter(([key]) => key !== 'pass')
    .map(([key, value]) => {
      const label = labelOf(key).toLowerCase();
      return typeof value === 'boolean'
        ? `${value ? '' : 'no '}${label}`
        : `${label} ${wordsOf(value)}`;
    })
    .join(' · ');

/** The values of an option without their names. */
function wordsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(wordsOf).join(' ');
  return isObject(value) ? Object.values(value).map(wordsOf).join(' ') : JSON.stringify(value);
}
