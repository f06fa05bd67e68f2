import { Button, Menu, Textarea, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { Fragment } from 'react';
import { passNames, passTitles } from '../../state/passes.ts';
import { addPass, setDescription, setName } from '../../state/recipeEdits.ts';
import { issuesAt, type Issue } from '../../state/recipeText.ts';
import { usePart, useStudio } from '../studioContext.ts';
import { Calibration } from './Calibration.tsx';
import { PassCard } from './PassCard.tsx';
import classes from './Recipe.module.css';

const noIssues: readonly Issue[] = [];

/** The recipe as fields. While its text cannot be read they show what it said before, locked. */
export function RecipeForm() {
  const { recipe } = useStudio();
  const reading = usePart(recipe.store, (state) => state.reading);
  const { draft } = reading;
  const issues = reading.kind === 'wrong' ? reading.issues : noIssues;
  const isLocked = reading.kind === 'unreadable';
  return (
    <div className={classes.scroll}>
      {isLocked && (
        <div role="alert" className={classes.locked}>
          <span>
            The text of the recipe cannot be read, so the form shows what it said before.
            <span className="mono">{reading.message}</span>
          </span>
          <Button size="xs" variant="default" onClick={() => recipe.setView('json')}>
            Edit the text
          </Button>
        </div>
      )}
      <fieldset className={classes.form} disabled={isLocked} aria-label="Recipe">
        <TextInput
          label="Name"
          maxLength={120}
          value={typeof draft.name === 'string' ? draft.name : ''}
          error={issuesAt(issues, 'name').length > 0 && 'A recipe needs a name'}
          onChange={(event) => recipe.edit(setName(event.currentTarget.value))}
        />
        <Textarea
          label="What it is good for"
          classNames={{ input: classes.growing }}
          rows={1}
          maxLength={2000}
          value={typeof draft.description === 'string' ? draft.description : ''}
          onChange={(event) => recipe.edit(setDescription(event.currentTarget.value))}
        />
        <div className={classes.passes}>
          <h2>Passes</h2>
          <ol aria-label="Passes">
            {draft.passes.map((pass, index) => (
              // The same pass may stand there twice: its place is what tells it apart.
              // oxlint-disable-next-line react/no-array-index-key
              <PassCard key={`${index}-${pass.pass}`} index={index} pass={pass} issues={issues} />
            ))}
          </ol>
          {draft.passes.length === 0 && (
            <p className={classes.hint}>A recipe is a list of passes; add the first one.</p>
          )}
          <AddPass isLocked={isLocked} />
        </div>
        <Calibration draft={draft} issues={issues} />
      </fieldset>
    </div>
  );
}

function AddPass({ isLocked }: { isLocked: boolean }) {
  const { recipe } = useStudio();
  const groups = [...Map.groupBy(passNames, (name) => passTitles[name].group)];
  return (
    <Menu position="bottom-start" shadow="md" disabled={isLocked}>
      <Menu.Target>
        <Button
          variant="default"
          disabled={isLocked}
          leftSection={<IconPlus size={16} stroke={1.5} aria-hidden="true" />}
        >
          Add pass
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={classes.menu}>
        {groups.map(([group, names]) => (
          <Fragment key={group}>
            <Menu.Label>{group}</Menu.Label>
            {names.map((name) => (
              <Menu.Item
                key={name}
                onClick={() => {
                  const last = recipe.store.getState().reading.draft.passes.length;
                  recipe.edit(addPass(name));
                  recipe.selectStep(last);
                }}
              >
                {passTitles[name].title}
              </Menu.Item>
            ))}
          </Fragment>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
