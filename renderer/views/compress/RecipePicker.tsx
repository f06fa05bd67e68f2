import { ActionIcon, Select, Tooltip } from '@mantine/core';
import { IconDeviceFloppy, IconTrash } from '@tabler/icons-react';
import type { Recipe } from '../../../preload/contract/index.ts';
import { toFailure } from '../../state/failure.ts';
import { recordOf } from '../../state/recipe.ts';
import { offerUndo, tell, tellFailure } from '../../ui/notify.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Recipe.module.css';

/** Takes a recipe from the list, keeps the one in view, deletes one of one's own. */
export function RecipePicker() {
  const { recipe } = useStudio();
  const state = usePart(recipe.store, (whole) => whole);
  const { recipes, reading } = state;
  const current = recordOf(state);
  const name = reading.kind === 'right' ? reading.recipe.name : null;
  const isShipped = recipes.some((record) => record.builtIn && record.recipe.name === name);

  const take = (next: Recipe): void => {
    const isKept = current !== undefined;
    const back = recipe.choose(next);
    // What can be chosen again is not lost.
    if (!isKept) offerUndo({ message: `${next.name} took the place of your recipe`, undo: back });
  };
  const save = async (): Promise<void> => {
    try {
      await recipe.save();
      tell(`Recipe ${name ?? ''} saved`);
    } catch (error) {
      tellFailure(toFailure(error).message);
    }
  };
  const remove = async (gone: string): Promise<void> => {
    try {
      const restore = await recipe.remove(gone);
      offerUndo({ message: `Recipe ${gone} deleted`, undo: () => void restore() });
    } catch (error) {
      tellFailure(toFailure(error).message);
    }
  };
  const group = (title: string, builtIn: boolean) => ({
    group: title,
    items: recipes
      .filter((record) => record.builtIn === builtIn)
      .map((record) => record.recipe.name),
  });
  const saveLabel =
    name === null
      ? 'A recipe can be saved once it is complete'
      : isShipped
        ? 'Give the recipe a name of its own to save it'
        : `Save as ${name}`;
  return (
    <>
      <Select
        aria-label="Choose a recipe"
        className={classes.picker}
        placeholder="Own recipe"
        value={current?.recipe.name ?? null}
        data={[group('Shipped with Lathe', true), group('Own', false)].filter(
          ({ items }) => items.length > 0,
        )}
        searchable
        nothingFoundMessage="No recipe has this name"
        maxDropdownHeight={400}
        onChange={(chosen) => {
          const record = recipes.find((candidate) => candidate.recipe.name === chosen);
          if (record) take(record.recipe);
        }}
        renderOption={({ option }) => (
          <span className={classes.option}>
            <span>{option.label}</span>
            <span>
              {recipes.find((record) => record.recipe.name === option.value)?.recipe.description}
            </span>
          </span>
        )}
      />
      <Tooltip label={saveLabel}>
        <ActionIcon
          size="md"
          aria-label="Save the recipe"
          disabled={name === null || isShipped || current !== undefined}
          onClick={() => void save()}
        >
          <IconDeviceFloppy size={16} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      {current && !current.builtIn && (
        <Tooltip label="Delete this recipe">
          <ActionIcon
            size="md"
            aria-label="Delete the recipe"
            onClick={() => void remove(current.recipe.name)}
          >
            <IconTrash size={16} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
      )}
    </>
  );
}
