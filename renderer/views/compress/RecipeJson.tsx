import { useComputedColorScheme } from '@mantine/core';
import { LazyJsonEditor } from '../../editor/LazyJsonEditor.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Recipe.module.css';

/** The recipe as text; what is wrong with it is marked in place and said below. */
export function RecipeJson() {
  const { recipe } = useStudio();
  const text = usePart(recipe.store, (state) => state.text);
  const reading = usePart(recipe.store, (state) => state.reading);
  const scheme = useComputedColorScheme('light');
  const [first, ...others] = reading.kind === 'wrong' ? reading.issues : [];
  const message =
    reading.kind === 'unreadable'
      ? reading.message
      : first && `${first.path.join('.')}: ${first.message}`;
  return (
    <div className={classes.json}>
      <div className={classes.editor}>
        <LazyJsonEditor
          label="Recipe as JSON"
          value={text}
          scheme={scheme}
          onChange={(next) => recipe.setText(next)}
        />
      </div>
      {message !== undefined && (
        <p role="alert" className={classes.wrong}>
          {message}
          {others.length > 0 && ` (and ${others.length} more)`}
        </p>
      )}
    </div>
  );
}
