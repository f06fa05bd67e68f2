import { useDebouncedValue } from '@mantine/hooks';
import { IconBox, IconChevronRight, IconCornerLeftUp, IconFolder } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { toFailure } from '../../state/failure.ts';
import { useStudio } from '../studioContext.ts';
import classes from './FolderDialog.module.css';

interface FolderBrowserProps {
  /** Where to look; empty for the user's own folder. */
  path: string;
  onChoose: (path: string) => void;
}

/** The folders at a path; those that hold a model are marked. */
export function FolderBrowser({ path, onChoose }: FolderBrowserProps) {
  const { models } = useStudio();
  const [asked] = useDebouncedValue(path.trim(), 150);
  const query = useQuery({
    queryKey: ['folders', asked],
    queryFn: () => models.folders(asked === '' ? null : asked),
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  const listing = query.data;
  return (
    <div className={classes.browser}>
      <div className={classes.where}>
        <span className="mono">
          <bdi>{listing?.path ?? asked}</bdi>
        </span>
        {listing?.isModel && <span className={classes.model}>holds a model</span>}
      </div>
      {query.isError ? (
        <p className={classes.nothing}>{toFailure(query.error).message}</p>
      ) : (
        <ul className={classes.folders} aria-label="Folders">
          {listing?.parent && (
            <li>
              <button type="button" onClick={() => onChoose(listing.parent ?? '')}>
                <IconCornerLeftUp size={16} stroke={1.5} aria-hidden="true" />
                <span>Folder above</span>
              </button>
            </li>
          )}
          {listing?.folders.map((folder) => (
            <li key={folder.path}>
              <button type="button" onClick={() => onChoose(folder.path)}>
                {folder.isModel ? (
                  <IconBox size={16} stroke={1.5} aria-hidden="true" className={classes.mark} />
                ) : (
                  <IconFolder size={16} stroke={1.5} aria-hidden="true" />
                )}
                <span>{folder.name}</span>
                {folder.isModel ? (
                  <span className={classes.model}>model</span>
                ) : (
                  <IconChevronRight size={14} stroke={1.5} aria-hidden="true" />
                )}
              </button>
            </li>
          ))}
          {listing?.folders.length === 0 && (
            <li className={classes.nothing}>No folders in here.</li>
          )}
        </ul>
      )}
    </div>
  );
}
