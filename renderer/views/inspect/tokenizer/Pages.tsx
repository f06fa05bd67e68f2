import { ActionIcon } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { formatCount } from '../../../ui/format.ts';

/** So many tokens are shown at once. */
export const pageSize = 2000;

interface PagesProps {
  count: number;
  /** Index of the first that is shown. */
  start: number;
  onPage: (page: number) => void;
}

/** Turns the pages of a long text; nothing where one is enough. */
export function Pages({ count, start, onPage }: PagesProps) {
  if (count <= pageSize) return null;
  const page = start / pageSize;
  return (
    <>
      <span>
        {formatCount(start + 1)}–{formatCount(Math.min(count, start + pageSize))} of{' '}
        {formatCount(count)}
      </span>
      <ActionIcon
        aria-label="Earlier tokens"
        disabled={page === 0}
        onClick={() => onPage(page - 1)}
      >
        <IconChevronLeft size={16} stroke={1.5} />
      </ActionIcon>
      <ActionIcon
        aria-label="Later tokens"
        disabled={start + pageSize >= count}
        onClick={() => onPage(page + 1)}
      >
        <IconChevronRight size={16} stroke={1.5} />
      </ActionIcon>
    </>
  );
}
