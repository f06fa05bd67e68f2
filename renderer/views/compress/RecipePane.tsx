import { SegmentedControl } from '@mantine/core';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import { RecipeForm } from './RecipeForm.tsx';
import { RecipeJson } from './RecipeJson.tsx';
import { RecipePicker } from './RecipePicker.tsx';
import classes from './Recipe.module.css';

/** The recipe, as a form or as the text that it is. */
export function RecipePane() {
  const { recipe } = useStudio();
  const view = usePart(recipe.store, (state) => state.view);
  const failure = usePart(recipe.store, (state) => state.failure);
  return (
    <section aria-label="Recipe" className={classes.pane}>
      <div className={classes.bar}>
        <RecipePicker />
        <SegmentedControl
          aria-label="Show the recipe as"
          className={classes.views}
          value={view}
          onChange={(next) => recipe.setView(next)}
          data={[
            { value: 'form', label: 'Form' },
            { value: 'json', label: 'JSON' },
          ]}
        />
      </div>
      {failure && (
        <ErrorPanel
          failure={failure}
          steps={[{ label: 'Ask for the recipes again', run: () => void recipe.load() }]}
        />
      )}
      {view === 'form' ? <RecipeForm /> : <RecipeJson />}
    </section>
  );
}
