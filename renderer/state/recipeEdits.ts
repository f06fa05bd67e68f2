import type { PassName } from '../../preload/contract/index.ts';
import { optionsOf, sameValue } from './passOptions.ts';
import { isObject, type PassDraft, type RecipeDraft } from './recipeText.ts';

/** A change to a recipe as the form makes it. */
export type Edit = (draft: RecipeDraft) => RecipeDraft;

export const setName =
  (name: string): Edit =>
  (draft) => ({ ...draft, name });

/** Sets or, with an empty text, leaves out what a recipe is good for. */
export const setDescription =
  (description: string): Edit =>
  ({ name, passes, ...draft }) => {
    const { description: _, ...others } = draft;
    return { name, ...(description !== '' && { description }), ...others, passes };
  };

/** Adds a pass with its defaults behind the others. */
export const addPass =
  (pass: PassName): Edit =>
  (draft) => ({ ...draft, passes: [...draft.passes, { pass }] });

export const removePass =
  (index: number): Edit =>
  (draft) => ({ ...draft, passes: draft.passes.toSpliced(index, 1) });

/** Moves a pass to another place. */
export const movePass =
  (from: number, to: number): Edit =>
  (draft) => {
    const moved = draft.passes[from];
    if (!moved || to < 0 || to >= draft.passes.length) return draft;
    return { ...draft, passes: draft.passes.toSpliced(from, 1).toSpliced(to, 0, moved) };
  };

/** Sets an option of a pass; at its default, or undefined, it is left out. */
export const setOption =
  (index: number, key: string, value: unknown): Edit =>
  (draft) => ({
    ...draft,
    passes: draft.passes.map((pass, at) => (at === index ? withOption(pass, key, value) : pass)),
  });

function withOption(pass: PassDraft, key: string, value: unknown): PassDraft {
  const { standard } = optionsOf(pass.pass).find((option) => option.key === key) ?? {};
  const { [key]: _, ...others } = pass;
  if (value === undefined || sameValue(value, standard)) return { ...others, pass: pass.pass };
  // An option that was there keeps its place in the text.
  return { ...pass, [key]: value };
}

/** Sets an option of the calibration; undefined leaves it out. */
export const setCalibration =
  (key: string, value: unknown): Edit =>
  ({ calibration, passes, ...draft }) => {
    const { [key]: _, ...others } = isObject(calibration) ? calibration : {};
    const changed = value === undefined ? others : { ...others, [key]: value };
    return {
      ...draft,
      ...(Object.keys(changed).length > 0 && { calibration: changed }),
      passes,
    };
  };
