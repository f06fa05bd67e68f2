import { LatheError } from '../../../preload/contract/errors.ts';
import { checkFolderName } from '../../formats/paths.ts';
import { freeName } from '../../library/models.ts';

/**
 * Name of a variant: that of the model it descends from, then its own. A variant of a variant says
 * so in the second part: `tiny-stories/heads-25+int4-rtn`. A name that was not asked for is the
 * recipe's, or the next free one; `already_exists` where the one asked for is taken.
 */
export function variantName(
  parent: string,
  { asked, recipe }: { asked: string | undefined; recipe: string },
  isTaken: (name: string) => boolean,
): string {
  const [model, before] = parent.split('/', 2);
  if (asked !== undefined) {
    const name = `${model}/${checked(asked)}`;
    if (!isTaken(name)) return name;
    throw new LatheError('already_exists', `a variant of this name is there already: ${name}`, {
      value: name,
    });
  }
  const own = before === undefined ? recipe : `${before}+${recipe}`;
  return freeName(`${model}/${checked(folderName(own))}`, isTaken);
}

/** What a recipe is called may have any characters; a folder may not. */
function folderName(name: string): string {
  return name
    .replaceAll(/[^\p{L}\p{N}.+_ -]+/gu, '-')
    .slice(0, 120)
    .replace(/^[. ]+|[. ]+$/g, '');
}

function checked(name: string): string {
  checkFolderName(name);
  return name;
}
